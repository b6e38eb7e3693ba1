// C++ regime: may throw, never calls PostgreSQL
#include "columns.hpp"
#include "kernel/compute_usage_states.hpp"
#include "usage_reference.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

using namespace etl::kernel;

struct listing {
    columns::maybe_text condition;
    std::optional<std::int32_t> mileage;
    std::optional<day_number> first_registration;
    std::optional<std::int16_t> previous_owners;
    std::optional<bool> damaged;
    std::optional<day_number> as_of;

    usage_state state() const {
        const listed_condition known = condition ? to_condition(*condition) : listed_condition::unknown;
        const usage said = {known, mileage, first_registration, previous_owners, damaged, as_of};
        const usage_state expected = reference::usage_state(said);
        EXPECT_EQ(compute_usage_state(said), expected);
        return expected;
    }
};

template <class T>
std::vector<std::optional<T>> column_of(const std::vector<listing> &rows, std::optional<T> listing::*member) {
    std::vector<std::optional<T>> values;
    for (const listing &row : rows)
        values.push_back(row.*member);
    return values;
}

std::size_t check(const std::vector<listing> &rows) {
    const columns::texts condition(column_of(rows, &listing::condition));
    const columns::values mileage(column_of(rows, &listing::mileage));
    const columns::values first_registration(column_of(rows, &listing::first_registration));
    const columns::values previous_owners(column_of(rows, &listing::previous_owners));
    const columns::values damaged(column_of(rows, &listing::damaged));
    const columns::values as_of(column_of(rows, &listing::as_of));
    std::vector<usage_state> states(rows.size());
    const std::size_t error = compute_usage_states({condition.column(), mileage.column(), first_registration.column(),
                                                    previous_owners.column(), damaged.column(), as_of.column()},
                                                   rows.size(), states.data());
    std::size_t first_error = rows.size();
    for (std::size_t i = rows.size(); i > 0; i--) {
        const usage_state expected = rows[i - 1].state();
        if (expected >= usage_state::date_out_of_range)
            first_error = i - 1;
        EXPECT_EQ(states[i - 1], expected) << i - 1;
    }
    EXPECT_EQ(error, first_error);
    return first_error;
}

TEST(compute_usage_states, every_day_beside_the_limits) {
    constexpr day_number days_of_400_years = 146097; // then the calendar repeats
    for (day_number first = -80000; first < days_of_400_years - 80000; first += 1000) {
        std::vector<listing> rows;
        for (day_number day = first; day < first + 1000; day++)
            for (const std::int32_t years : {1, 30})
                for (std::int32_t beside = -1; beside <= 1; beside++)
                    rows.push_back({"used", 100, years_before(day, years) + beside, std::nullopt, std::nullopt, day});
        check(rows);
        if (HasFailure())
            return;
    }
}

TEST(compute_usage_states, every_distance_near_the_limits) {
    std::vector<listing> rows;
    // Around leap days, and where a century has none.
    for (const day_number leap_day : {59 - 36525, 59, 8 * 365 + 61, 36525 + 58, 24 * 365 + 65})
        for (day_number day = leap_day - 3; day < leap_day + 3; day++)
            for (std::int32_t age = 363; age < 11000; age += age == 368 ? 10585 : 1)
                rows.push_back({"used", 100, day - age, std::nullopt, std::nullopt, day});
    check(rows);
}

TEST(compute_usage_states, tells_the_first_error) {
    const listing fine{"used", 1, 0, 0, false, 0}, late{"used", 1, 0, 0, false, 106751983};
    const listing early{"used", 1, 0, 0, false, -2451545};
    EXPECT_EQ(check({fine, fine}), 2u);
    EXPECT_EQ(check({fine, late, early, fine}), 1u);
    EXPECT_EQ(check({early}), 0u);
    EXPECT_EQ(check({{"demo", 1, 0, 0, false, 106751983}, fine}), 2u);
}

TEST(compute_usage_states, equals_the_rules_on_random_listings) {
    std::mt19937 random(30);
    const columns::maybe_text conditions[] = {std::nullopt, "new", "demo", "used", "New", "newer", "", "dem", "demos"};
    const std::int32_t mileages[] = {0, 99, 100, 14999, 15000, -1, 2147483647};
    const day_number days[] = {before_all_days, after_all_days, -2451545, 106751983, 0, 8000, -1000001, 1000001};
    int seen[16] = {};
    for (int batch = 0; batch < 300; batch++) {
        std::vector<listing> rows(random() % 300);
        for (listing &row : rows) {
            row.condition = conditions[random() % 9];
            if (random() % 3)
                row.mileage = mileages[random() % 7];
            if (random() % 5)
                row.as_of = random() % 50 ? static_cast<day_number>(random() % 20000) - 5000 : days[random() % 8];
            if (random() % 3)
                row.first_registration =
                    random() % 30 ? static_cast<day_number>(random() % 30000) - 15000 : days[random() % 8];
            if (row.as_of && *row.as_of > -100000 && *row.as_of < 100000 && random() % 3 == 0)
                row.first_registration = *row.as_of - static_cast<day_number>(random() % 12000);
            if (random() % 2)
                row.previous_owners = static_cast<std::int16_t>(random() % 3);
            if (random() % 2)
                row.damaged = random() % 8 == 0;
            seen[static_cast<int>(row.state())]++;
        }
        check(rows);
        if (HasFailure())
            return;
    }
    for (int state = 0; state < 9; state++)
        EXPECT_GT(seen[state], 20) << state;
}

} // namespace
