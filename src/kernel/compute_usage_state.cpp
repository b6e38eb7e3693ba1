// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/compute_usage_state.hpp"

#include "kernel/calendar.hpp"

namespace etl::kernel {

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
    if (listing.as_of) {
        // Errors do not depend on first_registration: the limit is worked out before it is compared with anything.
        if (is_after_timestamps(*listing.as_of))
            return usage_state::date_out_of_range;
        const day_number limit = years_before(*listing.as_of, 30);
        if (is_before_timestamps(limit))
            return usage_state::timestamp_out_of_range;
        if (listing.first_registration && *listing.first_registration <= limit)
            return usage_state::classic;
    }
    if (listing.condition == listed_condition::factory_new && listing.mileage.value_or(0) < 100 &&
        listing.previous_owners.value_or(0) == 0)
        return usage_state::factory_new;
    if (listing.mileage && *listing.mileage < 15000 && listing.as_of && listing.first_registration &&
        *listing.first_registration > years_before(*listing.as_of, 1))
        return usage_state::nearly_new;
    if (listing.condition == listed_condition::unknown && !listing.mileage && !listing.first_registration)
        return usage_state::unknown;
    return usage_state::used;
}

} // namespace etl::kernel
