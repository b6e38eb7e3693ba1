// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/numeric_form.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace etl::kernel {

// A number of at most 16 digits: units * 10^exponent, or -units.
struct decimal {
    static constexpr std::uint64_t end_of_units = 10000000000000000; // 10^16
    std::uint64_t units;
    int exponent; // a multiple of 4
    bool negative;
    bool usable; // else nothing of this is true
};

// Takes numerics as PostgreSQL stores them, without a varlena header, at any address: of the short form, with at most
// four digits to the base 10000. No branch depends on how many they are.
inline decimal read_decimal(const char *bytes, std::size_t length) noexcept {
    static constexpr std::uint16_t zero = 0;
    const auto word = [](const void *at) {
        std::uint16_t value;
        std::memcpy(&value, at, sizeof value);
        return value;
    };
    if (length < sizeof zero)
        return {};
    const unsigned header = word(bytes);
    const std::size_t count = (length - sizeof header / 2) / 2;
    std::uint64_t units = 0, worth = 1;
    for (std::size_t i = 1; i <= 4; i++, worth *= 10000) {
        const void *const digit = i <= count ? static_cast<const void *>(bytes + length - 2 * i) : &zero;
        units += word(digit) * worth;
    }
    const int weight = static_cast<int>(header & short_weight) - static_cast<int>(header & short_weight_sign);
    return {units, base_digits * (weight - static_cast<int>(count) + 1), (header & short_negative) != 0,
            (header & form_bits) == short_form && count <= 4};
}

} // namespace etl::kernel
