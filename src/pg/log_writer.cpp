// Boundary: the log writer is woken as by a commit that does not wait for it.
#include "pg/log_writer.hpp"

extern "C" {
#include "access/xlog.h"
}

namespace etl::pg {

void keep_log_written(log_pace &pace, std::size_t more_bytes) noexcept {
    pace.bytes += more_bytes;
    if (pace.bytes < log_pace::bytes_a_call)
        return;
    pace.bytes = 0;
    ::XLogSetAsyncXactLSN(XactLastRecEnd);
}

} // namespace etl::pg
