// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/rate_table.hpp"

#include <algorithm>

namespace etl::kernel {

namespace {

// Of a country and currency against those of a rate: negative, zero, positive.
int compare(std::string_view country, std::string_view currency, const rate &other) noexcept {
    const int by_country = country.compare(other.country);
    return by_country != 0 ? by_country : currency.compare(other.currency);
}

bool precedes(const rate &left, const rate &right) noexcept {
    const int by_key = compare(left.country, left.currency, right);
    if (by_key != 0)
        return by_key < 0;
    if (left.valid_from != right.valid_from)
        return left.valid_from < right.valid_from;
    return left.position < right.position;
}

} // namespace

rate_table::rate_table(rate *rates, std::size_t count, rate_group *groups) noexcept : groups_(groups) {
    std::sort(rates, rates + count, precedes);
    rate_group *group = groups;
    for (const rate *each = rates; each != rates + count; each++) {
        if (each == rates || compare(each->country, each->currency, each[-1]) != 0)
            *group++ = {each, each};
        group[-1].end = each + 1;
    }
    end_ = group;
}

const rate *rate_table::find(std::string_view country, std::string_view currency, std::int32_t on) const noexcept {
    if (last_ == nullptr || compare(country, currency, *last_->first) != 0) {
        const rate_group *group = std::lower_bound(
            groups_, end_, 0, [&](const rate_group &each, int) { return compare(country, currency, *each.first) > 0; });
        if (group == end_ || compare(country, currency, *group->first) != 0)
            return nullptr;
        last_ = group;
    }
    const rate *after = std::upper_bound(last_->first, last_->end, on,
                                         [](std::int32_t day, const rate &each) { return day < each.valid_from; });
    return after == last_->first ? nullptr : after - 1;
}

} // namespace etl::kernel
