// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstdint>

namespace etl::kernel {

// Days are numbered as day_number of compute_usage_state.hpp: from 2000-01-01, the type's extremes are infinite.

// The same day of the year `years` (1 to 1000) years earlier, the 29th of February being the 28th where that year has
// none. Infinite days stay what they are. `day` must not lie more than 1000 years before the first timestamp.
std::int32_t years_before(std::int32_t day, std::int32_t years) noexcept;

// True for finite days before 4713-11-24 BC (proleptic Gregorian), where dates and timestamps of PostgreSQL begin.
bool is_before_timestamps(std::int32_t day) noexcept;

// True for finite days after 294276-12-31, where timestamps end; dates go on.
bool is_after_timestamps(std::int32_t day) noexcept;

} // namespace etl::kernel
