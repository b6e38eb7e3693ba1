// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/rate_table.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace etl::kernel {

// A rate that is known as units * 10^-scale, or -units. `none`: there is no rate, or it is NULL. `slow`: not known in
// this form, ask the rate_table.
struct daily_rate {
    enum kind : std::uint8_t { known, none, slow };
    std::uint64_t units; // without zeros at the end, below decimal::end_of_units
    std::uint8_t scale;
    bool negative;
    kind is;
};

// The rates of a rate_table once more, day by day: an array for each country and currency, so that finding a rate takes
// no search. Looks only into memory that its maker provides and keeps.
class daily_rates {
public:
    daily_rates() noexcept = default;

    // Bytes of memory that the rates of a table take.
    static std::size_t bytes_needed(const rate_table &table) noexcept;

    // `numeric_of` gives the numeric of a rate as PostgreSQL stores it, without a varlena header; not asked for a rate
    // whose value is a null pointer. `memory` is aligned for any type.
    using numeric_of = std::string_view (*)(const void *value);
    daily_rates(const rate_table &table, numeric_of bytes_of, void *memory) noexcept;

    // The rate in force on a day. Slow are the day infinity, names of more than 7 bytes, NaN and rates of more than 16
    // digits, and days more than a century before the last rate of the country and currency.
    daily_rate find(std::string_view country, std::string_view currency, std::int32_t day) const noexcept {
        constexpr daily_rate no_rate = {0, 0, false, daily_rate::none}, not_here = {0, 0, false, daily_rate::slow};
        if (country.size() > most_name || currency.size() > most_name || day == end_of_days)
            return not_here;
        if (!pairs_)
            return no_rate;
        const pair &found = *slot_of(code_of(country), code_of(currency));
        if (!found.days)
            return no_rate;
        const std::int32_t until = day < found.last_day ? day : found.last_day;
        return found.rates[found.days[until < found.first_day ? 0 : until - found.first_day + 1]];
    }

private:
    struct pair {
        std::uint64_t country;
        std::uint64_t currency;
        const daily_rate *rates;
        const std::uint16_t
            *days; // indexes of rates: of all days before first_day, of first_day, ... Null: a free slot
        std::int32_t first_day;
        std::int32_t last_day; // its rate counts for all days after it
    };
    struct window;
    static constexpr std::size_t most_name = 7;
    static constexpr std::int32_t end_of_days = std::numeric_limits<std::int32_t>::max();

    static std::size_t slots_needed(const rate_table &table) noexcept;

    // A name of up to 7 bytes as a number, with its size, since names may begin alike. Of more than three bytes the
    // first four and the last four: where the two overlap by a byte, each has its other three in places of their own.
    static std::uint64_t code_of(std::string_view name) noexcept {
        std::uint64_t code = std::uint64_t{name.size()} << 56;
        if (name.size() >= 4)
            code ^= load<std::uint32_t>(name.data()) | load<std::uint32_t>(name.data() + name.size() - 4) << 24;
        else if (name.size() >= 2)
            code ^= load<std::uint16_t>(name.data()) | load<std::uint16_t>(name.data() + name.size() - 2) << 16;
        else if (name.size() == 1)
            code ^= load<std::uint8_t>(name.data());
        return code;
    }
    template <class T> static std::uint64_t load(const char *from) noexcept {
        T value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
    // Where a pair is or would be.
    pair *slot_of(std::uint64_t country, std::uint64_t currency) const noexcept {
        const std::uint64_t mixed = (country ^ currency * 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93;
        std::size_t at = static_cast<std::size_t>(mixed >> 32) & last_slot_;
        while (pairs_[at].days && (pairs_[at].country != country || pairs_[at].currency != currency))
            at = (at + 1) & last_slot_;
        return &pairs_[at];
    }

    pair *pairs_ = nullptr; // open addressing, at most half full
    std::size_t last_slot_ = 0;
};

} // namespace etl::kernel
