// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/compute_usage_states.hpp"

#include <cstring>

namespace etl::kernel {

namespace {

// Of all pairs of days that lie 1 or 30 years apart, the least and the most days between them, with a day to spare.
// Nearer to a limit than that, and where as_of is far off, the calendar decides.
constexpr std::int64_t least_of_year = 364, most_of_year = 367;
constexpr std::int64_t least_of_30_years = 10955, most_of_30_years = 10959;
constexpr day_number far_off = 1000000;

template <class T> std::optional<T> optional(const column<T> &from, std::size_t row) noexcept {
    return from.null(row) ? std::nullopt : std::optional<T>(from.values[row]);
}

usage listing_of(const usage_columns &listings, std::size_t row) noexcept {
    usage listing{};
    if (!listings.condition.null(row))
        listing.condition = to_condition({listings.condition.at(row), listings.condition.size(row)});
    listing.mileage = optional(listings.mileage, row);
    listing.first_registration = optional(listings.first_registration, row);
    listing.previous_owners = optional(listings.previous_owners, row);
    listing.damaged = optional(listings.damaged, row);
    listing.as_of = optional(listings.as_of, row);
    return listing;
}

} // namespace

// No branch but for the limits: what sellers say follows no pattern that a processor could guess.
std::size_t compute_usage_states(const usage_columns &listings, std::size_t n, usage_state *states) noexcept {
    std::size_t first_error = n;
    for (std::size_t row = 0; row < n; row++) {
        const bool has_day = !listings.as_of.null(row);
        const bool has_registration = !listings.first_registration.null(row);
        const bool has_dates = has_day & has_registration;
        const day_number day = has_day ? listings.as_of.values[row] : 0;
        const std::int64_t age = has_dates ? std::int64_t{day} - listings.first_registration.values[row] : 0;
        const bool at_limit = (age >= least_of_year) & (age <= most_of_year);
        const bool at_30_years = (age >= least_of_30_years) & (age <= most_of_30_years);
        if (at_limit | at_30_years | (day < -far_off) | (day > far_off)) {
            states[row] = compute_usage_state(listing_of(listings, row));
            if (states[row] >= usage_state::date_out_of_range && first_error == n)
                first_error = row;
            continue;
        }
        const bool has_condition = !listings.condition.null(row);
        const std::size_t size = listings.condition.size(row);
        const char *const condition = listings.condition.at(row);
        const bool demo = has_condition & (size == 4) & (std::memcmp(condition, "demo", 4) == 0);
        const bool as_new = has_condition & (size == 3) & (std::memcmp(condition, "new", 3) == 0);
        const bool has_mileage = !listings.mileage.null(row);
        const std::int32_t mileage = has_mileage ? listings.mileage.values[row] : 0;
        const std::int16_t owners = listings.previous_owners.null(row) ? 0 : listings.previous_owners.values[row];
        const bool damaged = !listings.damaged.null(row) & listings.damaged.values[row];

        // The rules in order, the first last.
        usage_state state = usage_state::used;
        state = !has_condition & !has_mileage & !has_registration ? usage_state::unknown : state;
        state = has_mileage & (mileage < 15000) & has_dates & (age < least_of_year) ? usage_state::nearly_new : state;
        state = as_new & (mileage < 100) & (owners == 0) ? usage_state::factory_new : state;
        state = age > most_of_30_years ? usage_state::classic : state;
        state = demo ? usage_state::demonstration : state;
        states[row] = damaged ? usage_state::damaged : state;
    }
    return first_error;
}

} // namespace etl::kernel
