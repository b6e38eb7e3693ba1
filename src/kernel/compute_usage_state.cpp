// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/compute_usage_state.hpp"

#include "kernel/calendar.hpp"

namespace etl::kernel {

namespace {

bool is_at_least_30_years(day_number from, day_number to) noexcept {
    const std::int64_t age = std::int64_t{to} - from;
    if (!is_far_off(to) && (age < least_of_30_years || age >= most_of_30_years))
        return age >= most_of_30_years;
    return from <= years_before(to, 30);
}

bool is_less_than_a_year(day_number from, day_number to) noexcept {
    const std::int64_t age = std::int64_t{to} - from;
    if (!is_far_off(to) && (age < least_of_year || age >= most_of_year))
        return age < least_of_year;
    return from > years_before(to, 1);
}

} // namespace

listed_condition to_condition(std::string_view text) noexcept {
    if (text == "new")
        return listed_condition::factory_new;
    if (text == "demo")
        return listed_condition::demo;
    return listed_condition::other;
}

std::string_view to_text(usage_state state) noexcept {
    switch (state) {
    case usage_state::damaged:
        return "damaged";
    case usage_state::demonstration:
        return "demonstration";
    case usage_state::classic:
        return "classic";
    case usage_state::factory_new:
        return "new";
    case usage_state::nearly_new:
        return "nearly_new";
    case usage_state::used:
        return "used";
    case usage_state::unknown:
    case usage_state::date_out_of_range:
    case usage_state::timestamp_out_of_range:
        break;
    }
    return {};
}

usage_state compute_usage_state(const usage &listing) noexcept {
    if (listing.damaged.value_or(false))
        return usage_state::damaged;
    if (listing.condition == listed_condition::demo)
        return usage_state::demonstration;
    // Errors do not depend on first_registration: the limit is worked out before it is compared with anything.
    if (listing.as_of && is_far_off(*listing.as_of)) {
        if (is_after_timestamps(*listing.as_of))
            return usage_state::date_out_of_range;
        if (is_before_timestamps(years_before(*listing.as_of, 30)))
            return usage_state::timestamp_out_of_range;
    }
    const bool has_age = listing.as_of && listing.first_registration;
    if (has_age && is_at_least_30_years(*listing.first_registration, *listing.as_of))
        return usage_state::classic;
    if (listing.condition == listed_condition::factory_new && listing.mileage.value_or(0) < 100 &&
        listing.previous_owners.value_or(0) == 0)
        return usage_state::factory_new;
    if (listing.mileage && *listing.mileage < 15000 && has_age &&
        is_less_than_a_year(*listing.first_registration, *listing.as_of))
        return usage_state::nearly_new;
    if (listing.condition == listed_condition::unknown && !listing.mileage && !listing.first_registration)
        return usage_state::unknown;
    return usage_state::used;
}

} // namespace etl::kernel
