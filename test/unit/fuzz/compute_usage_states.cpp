// C++ regime: may throw, never calls PostgreSQL
#include "kernel/compute_usage_states.hpp"
#include "rows.hpp"
#include "usage_reference.hpp"

using namespace etl::kernel;

namespace {

template <class T> T take(const std::uint8_t *from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

} // namespace

// A row is 16 bytes: which values there are and of which kind, then the values.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    constexpr std::size_t row_size = 16;
    static const char *const conditions[] = {"new", "demo", "used", "dem"};
    std::vector<usage_state> expected;
    std::vector<columns::maybe_text> condition;
    std::vector<std::optional<std::int32_t>> mileage, first_registration, as_of;
    std::vector<std::optional<std::int16_t>> previous_owners;
    std::vector<std::optional<bool>> damaged;
    for (std::size_t at = 0; at + row_size <= size; at += row_size) {
        const unsigned has = data[at], kind = data[at + 1];
        usage listing{};
        condition.push_back(has & 1 ? columns::maybe_text(conditions[kind & 3]) : columns::maybe_text());
        if (condition.back())
            listing.condition = to_condition(*condition.back());
        if (has & 2)
            listing.mileage = take<std::int16_t>(data + at + 2);
        if (has & 4)
            listing.previous_owners = data[at + 4] % 3;
        if (has & 8)
            listing.damaged = data[at + 4] > 200;
        if (has & 16)
            listing.as_of = take<std::int32_t>(data + at + 8) >> (kind & 4 ? 0 : 16);
        if (has & 32)
            listing.first_registration = take<std::int32_t>(data + at + 12) >> (kind & 8 ? 0 : 16);
        // Near a limit, as chance alone seldom is.
        if (kind & 16 && listing.as_of && listing.first_registration && !is_far_off(*listing.as_of))
            listing.first_registration = years_before(*listing.as_of, kind & 32 ? 1 : 30) + data[at + 12] % 5 - 2;
        mileage.push_back(listing.mileage);
        previous_owners.push_back(listing.previous_owners);
        damaged.push_back(listing.damaged);
        as_of.push_back(listing.as_of);
        first_registration.push_back(listing.first_registration);
        expected.push_back(reference::usage_state(listing));
        fuzz::require(compute_usage_state(listing) == expected.back());
    }
    const columns::texts conditions_column(condition);
    const columns::values mileages(mileage), registrations(first_registration), days(as_of);
    const columns::values owners(previous_owners);
    const columns::values damages(damaged);
    std::vector<usage_state> states(expected.size());
    const std::size_t error =
        compute_usage_states({conditions_column.column(), mileages.column(), registrations.column(), owners.column(),
                              damages.column(), days.column()},
                             states.size(), states.data());
    fuzz::require(states == expected);
    std::size_t first_error = 0;
    while (first_error < expected.size() && expected[first_error] < usage_state::date_out_of_range)
        first_error++;
    fuzz::require(error == first_error);
    return 0;
}
