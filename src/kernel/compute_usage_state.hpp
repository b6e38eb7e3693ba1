// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace etl::kernel {

// A day: days since 2000-01-01 in the proleptic Gregorian calendar, PostgreSQL's own count. The extremes of the type
// are the infinities, and compare as such.
using day_number = std::int32_t;
constexpr day_number before_all_days = std::numeric_limits<day_number>::min();
constexpr day_number after_all_days = std::numeric_limits<day_number>::max();

// What the seller says of the car, as far as the rules ask.
enum class listed_condition : std::uint8_t { unknown, demo, factory_new, other };

// Compares by bytes, whatever the collation.
listed_condition to_condition(std::string_view text) noexcept;

// A listing as the rules see it; an empty optional is a NULL.
struct usage {
    listed_condition condition;
    std::optional<std::int32_t> mileage; // km
    std::optional<day_number> first_registration;
    std::optional<std::int16_t> previous_owners;
    std::optional<bool> damaged;
    std::optional<day_number> as_of;
};

// The last two are errors, in the words of PostgreSQL: `as_of` is a day that no timestamp can express, or the day 30
// years before it is.
enum class usage_state : std::uint8_t {
    unknown,
    damaged,
    demonstration,
    classic,
    factory_new,
    nearly_new,
    used,
    date_out_of_range,
    timestamp_out_of_range
};

// The name of a state as it is stored; empty for `unknown`, which is stored as NULL, and for the errors.
std::string_view to_text(usage_state state) noexcept;

// The days from a day of a year to the same day 1 or 30 years later: at least, at most. Only for an age in between need
// the calendar be asked.
constexpr std::int64_t least_of_year = 365, most_of_year = 366;
constexpr std::int64_t least_of_30_years = 10956, most_of_30_years = 10958;

// Days within so many of 2000-01-01 are far from those that no timestamp can express.
constexpr day_number far_off = 1000000;
constexpr bool is_far_off(std::int64_t day) noexcept {
    return (day < -far_off) | (day > far_off);
}

// The usage state of a car on the day `as_of`. The rules are tried in order and the first that holds decides: damaged;
// demonstration; registered 30 years before or earlier; new with less than 100 km and no owner; less than 15000 km and
// registered within the last year; used. Nothing known of condition, mileage and registration is `unknown`.
// The 29th of February counts as the 28th in years that have none. Errors arise only where the third rule is reached.
usage_state compute_usage_state(const usage &listing) noexcept;

} // namespace etl::kernel
