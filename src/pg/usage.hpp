// Boundary: what this process uses.
#pragma once

#include "pg/postgres.hpp"

namespace etl::pg {

// WAL that it has written so far.
std::uint64_t wal_bytes() noexcept;
// Memory of its contexts, which is all but the fixed size of a process and what the server shares.
std::size_t memory_bytes() noexcept;

} // namespace etl::pg
