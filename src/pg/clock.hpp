// Boundary: the time.
#pragma once

#include "pg/postgres.hpp"

namespace etl::pg {

// Wall time in µs; differences of it are durations as long as nobody sets the clock.
std::int64_t microseconds_now() noexcept;
// An interval's length in µs, with months of 30 days as EXTRACT(epoch) has them; at most the largest bigint.
std::int64_t microseconds_of(const Interval &length) noexcept;

// What this process has taken of the processor, in ns.
std::int64_t processor_nanoseconds() noexcept;

} // namespace etl::pg
