// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/calendar.hpp"

#include <limits>

namespace etl::kernel {

namespace {

constexpr std::int32_t first_timestamp_day = -2451545; // Julian day 0
constexpr std::int32_t end_of_timestamps = 106751983;  // 294277-01-01

// Years are counted from a 1st of March, so that the leap day is the last of its year, and in eras of 400 years, after
// which the calendar repeats (H. Hinnant, "chrono-compatible low-level date algorithms").
constexpr std::int64_t days_of_era = 146097;
constexpr std::int64_t era_start = 730425; // days from 0000-03-01 to 2000-01-01

struct civil_day {
    std::int64_t year; // the one that began in March
    std::int64_t day;  // 0 is the 1st of March, 365 a 29th of February
};

constexpr std::int64_t floor_divide(std::int64_t number, std::int64_t divisor) noexcept {
    return (number >= 0 ? number : number - divisor + 1) / divisor;
}

constexpr civil_day to_civil(std::int64_t day) noexcept {
    const std::int64_t shifted = day + era_start;
    const std::int64_t era = floor_divide(shifted, days_of_era);
    const std::int64_t of_era = shifted - era * days_of_era;
    const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    return {year + era * 400, of_era - (365 * year + year / 4 - year / 100)};
}

constexpr std::int64_t to_day(civil_day civil) noexcept {
    const std::int64_t era = floor_divide(civil.year, 400);
    const std::int64_t year = civil.year - era * 400;
    return era * days_of_era + 365 * year + year / 4 - year / 100 + civil.day - era_start;
}

// Of the year that began in March: its February lies in the calendar year after it.
constexpr bool ends_in_leap_day(std::int64_t year) noexcept {
    const std::int64_t calendar_year = year + 1;
    return calendar_year % 4 == 0 && (calendar_year % 100 != 0 || calendar_year % 400 == 0);
}

constexpr bool is_infinite(std::int32_t day) noexcept {
    return day == std::numeric_limits<std::int32_t>::min() || day == std::numeric_limits<std::int32_t>::max();
}

static_assert(to_day(to_civil(0)) == 0 && to_civil(0).year == 1999 && to_civil(0).day == 306);

} // namespace

std::int32_t years_before(std::int32_t day, std::int32_t years) noexcept {
    if (is_infinite(day))
        return day;
    civil_day civil = to_civil(day);
    civil.year -= years;
    if (civil.day == 365 && !ends_in_leap_day(civil.year))
        civil.day = 364;
    return static_cast<std::int32_t>(to_day(civil));
}

bool is_before_timestamps(std::int32_t day) noexcept {
    return !is_infinite(day) && day < first_timestamp_day;
}

bool is_after_timestamps(std::int32_t day) noexcept {
    return !is_infinite(day) && day >= end_of_timestamps;
}

} // namespace etl::kernel
