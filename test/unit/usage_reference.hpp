// C++ regime: may throw, never calls PostgreSQL
// The rules of the usage state once more, as they are told, each limit worked out by the calendar.
#pragma once

#include "kernel/calendar.hpp"
#include "kernel/compute_usage_state.hpp"

namespace reference {

inline etl::kernel::usage_state usage_state(const etl::kernel::usage &listing) {
    using namespace etl::kernel;
    using state = etl::kernel::usage_state;
    if (listing.damaged == true)
        return state::damaged;
    if (listing.condition == listed_condition::demo)
        return state::demonstration;
    if (listing.as_of && is_after_timestamps(*listing.as_of))
        return state::date_out_of_range;
    if (listing.as_of && is_before_timestamps(years_before(*listing.as_of, 30)))
        return state::timestamp_out_of_range;
    const bool has_days = listing.as_of && listing.first_registration;
    if (has_days && *listing.first_registration <= years_before(*listing.as_of, 30))
        return state::classic;
    if (listing.condition == listed_condition::factory_new && listing.mileage.value_or(0) < 100 &&
        listing.previous_owners.value_or(0) == 0)
        return state::factory_new;
    if (has_days && listing.mileage && *listing.mileage < 15000 &&
        *listing.first_registration > years_before(*listing.as_of, 1))
        return state::nearly_new;
    if (listing.condition == listed_condition::unknown && !listing.mileage && !listing.first_registration)
        return state::unknown;
    return state::used;
}

} // namespace reference
