// C++ regime: may throw, never calls PostgreSQL
#include "kernel/calendar.hpp"
#include "kernel/compute_usage_state.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::string_view_literals;
using etl::kernel::compute_usage_state;
using etl::kernel::listed_condition;
using etl::kernel::usage;
using etl::kernel::usage_state;

constexpr std::int32_t today = 8825; // 2024-02-29
constexpr std::int32_t thirty_years_ago = today - 10958;
constexpr std::int32_t a_year_ago = today - 366;

constexpr usage nothing_known{listed_condition::unknown, {}, {}, {}, {}, {}};

usage known(listed_condition condition, std::optional<std::int32_t> mileage, std::optional<std::int32_t> registration,
            std::optional<std::int16_t> owners = 0) {
    return {condition, mileage, registration, owners, false, today};
}

TEST(compute_usage_state, rules_in_order) {
    usage listing = known(listed_condition::demo, 1, thirty_years_ago);
    listing.damaged = true;
    EXPECT_EQ(compute_usage_state(listing), usage_state::damaged);
    listing.damaged = std::nullopt;
    EXPECT_EQ(compute_usage_state(listing), usage_state::demonstration);
    listing.condition = listed_condition::factory_new;
    EXPECT_EQ(compute_usage_state(listing), usage_state::classic);
    listing.first_registration = thirty_years_ago + 1;
    EXPECT_EQ(compute_usage_state(listing), usage_state::factory_new);
    listing.mileage = 100;
    EXPECT_EQ(compute_usage_state(listing), usage_state::used);
    listing.first_registration = a_year_ago + 1;
    EXPECT_EQ(compute_usage_state(listing), usage_state::nearly_new);
    listing.first_registration = a_year_ago;
    EXPECT_EQ(compute_usage_state(listing), usage_state::used);
    listing.first_registration = today;
    listing.mileage = 15000;
    EXPECT_EQ(compute_usage_state(listing), usage_state::used);
}

TEST(compute_usage_state, unknown_values_count_as_zero_for_new_cars_only) {
    EXPECT_EQ(compute_usage_state(known(listed_condition::factory_new, {}, {}, {})), usage_state::factory_new);
    EXPECT_EQ(compute_usage_state(known(listed_condition::factory_new, -1, {}, {})), usage_state::factory_new);
    EXPECT_EQ(compute_usage_state(known(listed_condition::factory_new, 0, {}, 1)), usage_state::used);
    EXPECT_EQ(compute_usage_state(known(listed_condition::other, {}, today)), usage_state::used);
}

TEST(compute_usage_state, nothing_known) {
    usage listing = nothing_known;
    EXPECT_EQ(compute_usage_state(listing), usage_state::unknown);
    listing.previous_owners = 1;
    listing.as_of = today;
    listing.damaged = false;
    EXPECT_EQ(compute_usage_state(listing), usage_state::unknown);
    listing.mileage = 0;
    EXPECT_EQ(compute_usage_state(listing), usage_state::used);
    listing.mileage.reset();
    listing.first_registration = 0;
    EXPECT_EQ(compute_usage_state(listing), usage_state::used);
    listing.first_registration.reset();
    listing.condition = listed_condition::other;
    EXPECT_EQ(compute_usage_state(listing), usage_state::used);
}

TEST(compute_usage_state, infinite_days) {
    usage listing = known(listed_condition::other, 1, etl::kernel::after_all_days);
    EXPECT_EQ(compute_usage_state(listing), usage_state::nearly_new);
    listing.first_registration = etl::kernel::before_all_days;
    EXPECT_EQ(compute_usage_state(listing), usage_state::classic);
    listing.as_of = etl::kernel::before_all_days;
    EXPECT_EQ(compute_usage_state(listing), usage_state::classic);
    listing.first_registration = 0;
    EXPECT_EQ(compute_usage_state(listing), usage_state::nearly_new);
    listing.as_of = etl::kernel::after_all_days;
    listing.first_registration = etl::kernel::after_all_days;
    EXPECT_EQ(compute_usage_state(listing), usage_state::classic);
}

TEST(compute_usage_state, errors_only_where_the_third_rule_is_reached) {
    usage listing = nothing_known;
    listing.as_of = 106751983;
    EXPECT_EQ(compute_usage_state(listing), usage_state::date_out_of_range);
    listing.as_of = -2451545;
    EXPECT_EQ(compute_usage_state(listing), usage_state::timestamp_out_of_range);
    listing.condition = listed_condition::demo;
    EXPECT_EQ(compute_usage_state(listing), usage_state::demonstration);
    listing.condition = listed_condition::factory_new;
    EXPECT_EQ(compute_usage_state(listing), usage_state::timestamp_out_of_range);
    listing.damaged = true;
    EXPECT_EQ(compute_usage_state(listing), usage_state::damaged);
}

TEST(compute_usage_state, conditions_are_compared_by_bytes) {
    EXPECT_EQ(etl::kernel::to_condition("demo"), listed_condition::demo);
    EXPECT_EQ(etl::kernel::to_condition("new"), listed_condition::factory_new);
    for (const std::string_view other : {""sv, "Demo"sv, "NEW"sv, "new "sv, " demo"sv, "demo\0"sv, "ne"sv, "unknown"sv})
        EXPECT_EQ(etl::kernel::to_condition(other), listed_condition::other);
}

TEST(compute_usage_state, texts) {
    EXPECT_EQ(to_text(usage_state::unknown), "");
    EXPECT_EQ(to_text(usage_state::damaged), "damaged");
    EXPECT_EQ(to_text(usage_state::demonstration), "demonstration");
    EXPECT_EQ(to_text(usage_state::classic), "classic");
    EXPECT_EQ(to_text(usage_state::factory_new), "new");
    EXPECT_EQ(to_text(usage_state::nearly_new), "nearly_new");
    EXPECT_EQ(to_text(usage_state::used), "used");
}

} // namespace
