// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/price_code.hpp"

#include "kernel/numeric_form.hpp"

#include <cstring>

namespace etl::kernel {

namespace {

constexpr std::uint64_t limit = 1000000000000000000; // 10^18, so that a code has room for those bits too

constexpr std::uint64_t powers[] = {1,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000,
                                    10000000000000000,
                                    100000000000000000,
                                    1000000000000000000};
constexpr int most_power = 18;

// The largest numbers that stay below the limit when multiplied by these powers.
struct room_table {
    std::uint64_t most[most_power + 1]{};
    constexpr room_table() {
        for (int i = 0; i <= most_power; i++)
            most[i] = (limit - 1) / powers[i];
    }
    constexpr std::uint64_t operator[](int power) const {
        return most[power];
    }
};
constexpr room_table room;

std::uint16_t word(const unsigned char *bytes) noexcept {
    std::uint16_t value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

// digits x 10^shift if that is a whole number below the limit, else the limit.
template <class Number> std::uint64_t shifted(Number digits, int shift) noexcept {
    if (shift >= 0) {
        if (shift > most_power || digits > room[shift])
            return limit;
        return static_cast<std::uint64_t>(digits) * powers[shift];
    }
    Number whole;
    // Constants, so that none of the usual ones is a division.
    switch (shift) {
    case -1:
        whole = digits / 10;
        break;
    case -2:
        whole = digits / 100;
        break;
    case -3:
        whole = digits / 1000;
        break;
    default:
        if (-shift > most_power)
            return limit;
        whole = digits / powers[-shift];
    }
    return whole * powers[-shift] != digits || whole >= limit ? limit : static_cast<std::uint64_t>(whole);
}

template <class Number> Number read_digits(const unsigned char *bytes, std::size_t count) noexcept {
    Number value = 0;
    for (std::size_t i = 0; i < count; i++)
        value = value * 10000 + word(bytes + 2 * i);
    return value;
}

__extension__ typedef unsigned __int128 uint128;

} // namespace

std::int64_t price_code(const unsigned char *bytes, std::size_t length, price_format format) noexcept {
    if (length < 2)
        return no_code;
    const unsigned header = word(bytes);
    bool negative;
    int scale, weight;
    std::size_t at = 2;
    if ((header & form_bits) == short_form) {
        negative = (header & short_negative) != 0;
        scale = static_cast<int>((header & short_scale) >> short_scale_shift);
        weight = static_cast<int>(header & short_weight) - static_cast<int>(header & short_weight_sign);
    } else if ((header & form_bits) == special_form) {
        const unsigned kind = header & special_bits;
        return kind == infinity_bits ? infinity_code : kind == minus_infinity_bits ? minus_infinity_code : nan_code;
    } else {
        if (length < 4)
            return no_code;
        negative = (header & form_bits) == long_negative;
        scale = static_cast<int>(header & long_scale);
        weight = static_cast<std::int16_t>(word(bytes + 2));
        at = 4;
    }
    if (format.scale_varies ? scale > format.scale : scale != format.scale)
        return no_code;
    const std::size_t count = (length - at) / 2;
    std::uint64_t units = 0;
    if (count > 0) {
        const int shift = base_digits * (weight - static_cast<int>(count) + 1) + format.scale;
        if (count <= 4)
            units = shifted(read_digits<std::uint64_t>(bytes + at, count), shift);
        else if (count <= 9)
            units = shifted(read_digits<uint128>(bytes + at, count), shift);
        else
            return no_code;
        if (units >= limit)
            return no_code;
    }
    const std::int64_t value = negative ? -static_cast<std::int64_t>(units) : static_cast<std::int64_t>(units);
    return format.scale_varies ? value * (1 << scale_bits) + scale : value;
}

std::size_t price_of_code(std::int64_t code, price_format format, unsigned char *bytes) noexcept {
    auto put = [bytes](std::size_t at, unsigned value) {
        const std::uint16_t half = static_cast<std::uint16_t>(value);
        std::memcpy(bytes + at, &half, sizeof half);
    };
    if (code == nan_code || code == infinity_code || code == minus_infinity_code) {
        put(0, code == nan_code ? special_form : code == infinity_code ? infinity_bits : minus_infinity_bits);
        return 2;
    }
    std::int64_t value = code;
    int scale = format.scale;
    if (format.scale_varies) {
        scale = static_cast<int>(code & ((1 << scale_bits) - 1));
        value = (code - scale) / (1 << scale_bits);
    }
    const std::uint64_t units = static_cast<std::uint64_t>(value < 0 ? -value : value);
    std::uint64_t whole = units / powers[format.scale], part = units % powers[format.scale];
    // Places in full groups of four.
    const int groups = (format.scale + base_digits - 1) / base_digits;
    unsigned digits[10];
    int count = 0;
    // From the last digit to the first; below, they are written the other way round.
    if (groups > 0) {
        const int pad = groups * base_digits - format.scale;
        std::uint64_t left = part;
        digits[count++] = static_cast<unsigned>(left % powers[base_digits - pad] * powers[pad]);
        left /= powers[base_digits - pad];
        for (int i = 1; i < groups; i++, left /= 10000)
            digits[count++] = static_cast<unsigned>(left % 10000);
    }
    for (; whole > 0; whole /= 10000)
        digits[count++] = static_cast<unsigned>(whole % 10000);
    int weight = count - groups - 1, first = 0;
    while (count > 0 && digits[count - 1] == 0)
        count--, weight--;
    while (first < count && digits[first] == 0)
        first++;
    if (first == count)
        weight = 0;
    put(0, short_form | (value < 0 ? short_negative : 0) | static_cast<unsigned>(scale) << short_scale_shift |
               (static_cast<unsigned>(weight) & (short_weight | short_weight_sign)));
    std::size_t length = 2;
    for (int i = count; i > first; i--, length += 2)
        put(length, digits[i - 1]);
    return length;
}

} // namespace etl::kernel
