// C++ regime: may throw, never calls PostgreSQL
#include "kernel/calendar.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace {

using etl::kernel::is_after_timestamps;
using etl::kernel::is_before_timestamps;
using etl::kernel::years_before;

struct date {
    int year, month, day;
};

bool is_leap(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_of_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

// Counts every day from 1500-01-01 to 2500-12-31 one by one.
std::vector<date> calendar() {
    std::vector<date> days;
    for (int year = 1500; year <= 2500; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= days_of_month(year, month); day++)
                days.push_back({year, month, day});
    return days;
}

TEST(calendar, agrees_with_counting) {
    const std::vector<date> days = calendar();
    std::int32_t zero = 0;
    while (days[static_cast<std::size_t>(zero)].year != 2000)
        zero++;
    for (std::size_t i = 0; i < days.size(); i++) {
        for (const int years : {1, 30, 100, 400}) {
            if (days[i].year - years < 1500)
                continue;
            const auto earlier =
                days[static_cast<std::size_t>(years_before(static_cast<std::int32_t>(i) - zero, years) + zero)];
            ASSERT_EQ(earlier.year, days[i].year - years);
            ASSERT_EQ(earlier.month, days[i].month);
            ASSERT_EQ(earlier.day, std::min(days[i].day, days_of_month(earlier.year, earlier.month)));
        }
    }
}

TEST(calendar, leap_days) {
    EXPECT_EQ(years_before(59, 1), 59 - 366);        // 2000-02-29 becomes 1999-02-28
    EXPECT_EQ(years_before(59, 4), 59 - 1461);       // 1996 has the day
    EXPECT_EQ(years_before(60, 1), 60 - 366);        // 2000-03-01
    EXPECT_EQ(years_before(58, 1), 58 - 365);        // 2000-02-28
    EXPECT_EQ(years_before(8825, 30), 8825 - 10958); // 2024-02-29 becomes 1994-02-28
}

TEST(calendar, infinite_days_stay) {
    using limits = std::numeric_limits<std::int32_t>;
    for (const std::int32_t day : {limits::min(), limits::max()}) {
        EXPECT_EQ(years_before(day, 30), day);
        EXPECT_FALSE(is_before_timestamps(day));
        EXPECT_FALSE(is_after_timestamps(day));
    }
}

TEST(calendar, edges_of_timestamps) {
    EXPECT_FALSE(is_before_timestamps(-2451545));
    EXPECT_TRUE(is_before_timestamps(-2451546));
    EXPECT_FALSE(is_after_timestamps(106751982));
    EXPECT_TRUE(is_after_timestamps(106751983));
    EXPECT_TRUE(is_after_timestamps(2145031948)); // 5874897-12-31, the last date
    // 4684-11-24 BC is 30 years after the first timestamp; years before 1 are counted without a gap.
    EXPECT_EQ(years_before(-2451545 + 10957, 30), -2451545);
}

} // namespace
