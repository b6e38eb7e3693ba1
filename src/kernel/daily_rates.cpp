// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/daily_rates.hpp"

#include "kernel/decimal.hpp"

#include <algorithm>
#include <cstddef>

namespace etl::kernel {

namespace {

constexpr std::int32_t most_days = 36525;
constexpr std::int32_t begin_of_days = std::numeric_limits<std::int32_t>::min();

daily_rate to_daily(const rate &from, daily_rates::numeric_of bytes_of) noexcept {
    if (!from.value)
        return {0, 0, false, daily_rate::none};
    const std::string_view bytes = bytes_of(from.value);
    const decimal number = read_decimal(bytes.data(), bytes.size());
    std::uint64_t units = number.units;
    int scale = -number.exponent;
    for (; scale < 0 && units < decimal::end_of_units / 10; scale++)
        units *= 10;
    for (; scale > 0 && units % 10 == 0; scale--)
        units /= 10;
    if (!number.usable || scale < 0 || scale > std::numeric_limits<std::uint8_t>::max())
        return {0, 0, false, daily_rate::slow};
    return {units, static_cast<std::uint8_t>(scale), number.negative, daily_rate::known};
}

std::size_t aligned(std::size_t size) noexcept {
    constexpr std::size_t unit = alignof(std::max_align_t);
    return (size + unit - 1) / unit * unit;
}

} // namespace

// The finite days of a group that are kept day by day, and what they take.
struct daily_rates::window {
    const rate *first; // the rates of finite days
    const rate *end;
    std::int32_t first_day = 0;
    std::int32_t last_day = 0;

    explicit window(const rate_group &group) noexcept : first(group.first), end(group.end) {
        while (first != end && first->valid_from == begin_of_days)
            first++;
        while (first != end && end[-1].valid_from == end_of_days)
            end--;
        if (first == end)
            return;
        last_day = end[-1].valid_from;
        first_day = std::max(first->valid_from,
                             last_day < begin_of_days + most_days ? begin_of_days + 1 : last_day - most_days);
    }
    std::size_t rates_size() const noexcept {
        return aligned((1 + static_cast<std::size_t>(end - first)) * sizeof(daily_rate));
    }
    std::size_t days_size() const noexcept {
        return aligned((2 + static_cast<std::size_t>(last_day - first_day)) * sizeof(std::uint16_t));
    }
};

std::size_t daily_rates::slots_needed(const rate_table &table) noexcept {
    std::size_t slots = 8;
    while (slots < 2 * static_cast<std::size_t>(table.end() - table.begin()))
        slots *= 2;
    return slots;
}

std::size_t daily_rates::bytes_needed(const rate_table &table) noexcept {
    std::size_t bytes = aligned(slots_needed(table) * sizeof(pair));
    for (const rate_group &group : table) {
        const window kept(group);
        bytes += kept.rates_size() + kept.days_size();
    }
    return bytes;
}

daily_rates::daily_rates(const rate_table &table, numeric_of bytes_of, void *memory) noexcept
    : pairs_(static_cast<pair *>(memory)), last_slot_(slots_needed(table) - 1) {
    std::fill_n(pairs_, last_slot_ + 1, pair{});
    char *free = static_cast<char *>(memory) + aligned((last_slot_ + 1) * sizeof(pair));
    for (const rate_group &group : table) {
        if (group.first->country.size() > most_name || group.first->currency.size() > most_name)
            continue;
        const window kept(group);
        auto *const rates = reinterpret_cast<daily_rate *>(free);
        free += kept.rates_size();
        auto *const days = reinterpret_cast<std::uint16_t *>(free);
        free += kept.days_size();

        // Of one day the last counts, as in the table.
        rates[0] = {0, 0, false, daily_rate::none};
        if (kept.first != group.first)
            rates[0] = to_daily(kept.first[-1], bytes_of);
        std::uint16_t current = 0;
        days[0] = current;
        const rate *next = kept.first;
        for (std::int32_t day = kept.first_day; next != kept.end; day++) {
            const rate *latest = nullptr;
            while (next != kept.end && next->valid_from <= day)
                latest = next++;
            if (latest)
                rates[++current] = to_daily(*latest, bytes_of);
            days[day - kept.first_day + 1] = current;
        }
        if (kept.first == kept.end)
            days[1] = 0;
        else if (kept.first->valid_from < kept.first_day)
            rates[0] = {0, 0, false, daily_rate::slow};

        pair *const slot = slot_of(code_of(group.first->country), code_of(group.first->currency));
        *slot = {
            code_of(group.first->country), code_of(group.first->currency), rates, days, kept.first_day, kept.last_day};
    }
}

} // namespace etl::kernel
