// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace etl::kernel {

// How the prices of one log become codes: 64-bit numbers whose order is the order of prices in the fold (by value, then
// by display scale; NaN above all), so that a fold compares nothing but integers.
struct price_format {
    int scale;         // decimal places that a code holds, 0 to most_scale
    bool scale_varies; // of a numeric without (p,s): the display scale is part of the price, in the lowest bits
};

constexpr int most_scale = 15;
// The display scale takes the lowest bits of a code where it varies.
constexpr int scale_bits = 3;
// Of a numeric without (p,s): prices with more places have no code.
constexpr price_format open_format{6, true};

constexpr std::int64_t nan_code = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t infinity_code = nan_code - 1;
constexpr std::int64_t minus_infinity_code = std::numeric_limits<std::int64_t>::min();
// A price that has no code: 10^18 units and more, too many places, a display scale that is not the column's.
constexpr std::int64_t no_code = minus_infinity_code + 1;

// The code of a numeric as PostgreSQL stores it, without the header that tells its length.
std::int64_t price_code(const unsigned char *bytes, std::size_t length, price_format format) noexcept;

// Of equal prices the same, whatever their display scales; otherwise in the order of the codes.
constexpr std::int64_t code_without_scale(std::int64_t code, price_format format) noexcept {
    return format.scale_varies && code < infinity_code && code != minus_infinity_code ? code >> scale_bits : code;
}

// Writes the numeric of a code, byte for byte as PostgreSQL would, and returns its length. Not for no_code.
constexpr std::size_t most_price_bytes = 16;
std::size_t price_of_code(std::int64_t code, price_format format, unsigned char *bytes) noexcept;

} // namespace etl::kernel
