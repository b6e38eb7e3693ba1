// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace etl::kernel {

// One unit of `currency` is worth `value` in the currency of `country`, from the day `valid_from` on (days since
// 2000-01-01, the type's extremes are infinite). `value` is opaque here: the caller's number, may be a null pointer.
struct rate {
    std::string_view country;
    std::string_view currency;
    std::int32_t valid_from;
    std::uint32_t position; // of two rates of one day the one with the higher position counts
    const void *value;
};

// The rates of one country and currency: a run of `rates`, ordered by day.
struct rate_group {
    const rate *first;
    const rate *end;
};

// Finds the rate in force on a day. Strings are compared by bytes. Looks only into memory that its maker provides and
// keeps, and owns nothing.
class rate_table {
public:
    rate_table() noexcept = default;

    // Sorts `rates` in place; `groups` is room for `count` groups.
    rate_table(rate *rates, std::size_t count, rate_group *groups) noexcept;

    // The rate with the greatest valid_from <= `on`, or nullptr if there is none.
    const rate *find(std::string_view country, std::string_view currency, std::int32_t on) const noexcept;

    // All rates, by country and currency.
    const rate_group *begin() const noexcept {
        return groups_;
    }
    const rate_group *end() const noexcept {
        return end_;
    }

private:
    const rate_group *groups_ = nullptr;
    const rate_group *end_ = nullptr;
    // Rows of one mart ask for few countries and currencies, mostly for that of the row before.
    mutable const rate_group *last_ = nullptr;
};

} // namespace etl::kernel
