// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/daily_rates.hpp"

#include <cstddef>

namespace etl::kernel {

// Bytes of the longest numeric that convert_amount() writes: a header and five digits to the base 10000.
constexpr std::size_t most_amount_bytes = 12;

// amount * rate, rounded to 2 decimals, half away from zero: the numeric that PostgreSQL's numeric_mul and
// numeric_round give, to the last bit. Numerics are as PostgreSQL stores them, without a varlena header, at any
// address. Returns the bytes written. 0: the slow path has to do it. That is so for NaN and the infinities, numerics of
// the long form and of more than 16 digits, and results from 10^16 on. `rate` is known.
std::size_t convert_amount(const char *amount, std::size_t length, const daily_rate &rate, char *to) noexcept;

} // namespace etl::kernel
