// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/column.hpp"
#include "kernel/daily_rates.hpp"

namespace etl::kernel {

struct currency_columns {
    text_column country;
    text_column currency;
    text_column amount; // numerics as PostgreSQL stores them, without a varlena header
    column<std::int32_t> day;
};

constexpr std::size_t amount_stride = 16;

// amount * rate, rounded to 2 decimals, half away from zero: numeric's own answer to the last bit. NULL if an argument
// is, or if there is no rate. Left to the slow path is what convert_amount() and daily_rates leave to it.
void convert_currencies(const currency_columns &payments, std::size_t n, const daily_rates &rates,
                        const short_cells &out, slow_rows &slow) noexcept;

} // namespace etl::kernel
