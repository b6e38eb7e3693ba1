// Boundary: the server's own writer of the write-ahead log. None of it raises an error.
#pragma once

#include "pg/postgres.hpp"

namespace etl::pg {

// Counts what a process that writes much has logged, and has the log writer write it every now and then. Left alone
// that one wakes five times a second, and by then the log's buffers are full: whoever wants to log more writes them
// out, and waits for the disk, itself.
struct log_pace {
    static constexpr std::size_t bytes_a_call = std::size_t{512} * 1024;
    std::size_t bytes = 0;
};
void keep_log_written(log_pace &pace, std::size_t more_bytes) noexcept;

} // namespace etl::pg
