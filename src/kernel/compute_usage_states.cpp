// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/compute_usage_states.hpp"

#include <cstring>

namespace etl::kernel {

namespace {

// The rules, each a bit: the lowest that is set decides. `used` always is.
constexpr usage_state by_rule[] = {usage_state::damaged,     usage_state::demonstration, usage_state::classic,
                                   usage_state::factory_new, usage_state::nearly_new,    usage_state::unknown,
                                   usage_state::used};

// Which rows are not NULL, as 1, without a branch where there is no array to say so.
class not_null {
public:
    explicit not_null(const bool *is_null) noexcept : is_null_(is_null ? is_null : &never_), rows_(is_null ? ~0 : 0) {}
    unsigned operator[](std::size_t row) const noexcept {
        return !is_null_[row & rows_];
    }

private:
    static constexpr bool never_ = false;
    const bool *is_null_;
    std::size_t rows_;
};

unsigned begins_with(const char *text, const char (&bytes)[5], const unsigned char (&counts)[4]) noexcept {
    std::uint32_t word, wanted, mask;
    std::memcpy(&word, text, sizeof word);
    std::memcpy(&wanted, bytes, sizeof wanted);
    std::memcpy(&mask, counts, sizeof mask);
    return (word & mask) == wanted;
}

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
    const not_null condition_known(listings.condition.is_null), mileage_known(listings.mileage.is_null),
        registration_known(listings.first_registration.is_null), owners_known(listings.previous_owners.is_null),
        damage_known(listings.damaged.is_null), day_known(listings.as_of.is_null);
    std::size_t first_error = n;
    for (std::size_t row = 0; row < n; row++) {
        const std::int64_t day = listings.as_of.values[row], age = day - listings.first_registration.values[row];
        const unsigned has_day = day_known[row], has_registration = registration_known[row];
        const unsigned has_dates = has_day & has_registration;
        const unsigned near_limit =
            ((age >= least_of_year) & (age < most_of_year)) | ((age >= least_of_30_years) & (age < most_of_30_years));
        if ((has_dates & near_limit) | (has_day & is_far_off(day))) {
            states[row] = compute_usage_state(listing_of(listings, row));
            if (states[row] >= usage_state::date_out_of_range && first_error == n)
                first_error = row;
            continue;
        }
        const unsigned has_condition = condition_known[row], has_mileage = mileage_known[row];
        const std::size_t size = listings.condition.size(row);
        const char *const condition = listings.condition.at(row);
        const unsigned demo = has_condition & (size == 4) & begins_with(condition, "demo", {255, 255, 255, 255});
        const unsigned as_new = has_condition & (size == 3) & begins_with(condition, "new\0", {255, 255, 255, 0});
        const std::int32_t mileage = listings.mileage.values[row];
        const unsigned owned = owners_known[row] & (listings.previous_owners.values[row] != 0);
        const unsigned damaged = damage_known[row] & listings.damaged.values[row];
        const unsigned classic = has_dates & (age >= most_of_30_years);
        const unsigned young = has_dates & (age < least_of_year);
        const unsigned rules = damaged | demo << 1 | classic << 2 |
                               (as_new & !(has_mileage & (mileage >= 100)) & !owned) << 3 |
                               (has_mileage & (mileage < 15000) & young) << 4 |
                               !(has_condition | has_mileage | has_registration) << 5 | 1 << 6;
        states[row] = by_rule[__builtin_ctz(rules)];
    }
    return first_error;
}

} // namespace etl::kernel
