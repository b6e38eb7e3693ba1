// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/convert_currencies.hpp"

#include "kernel/convert_amount.hpp"

namespace etl::kernel {

static_assert(1 + most_amount_bytes <= amount_stride);

void convert_currencies(const currency_columns &payments, std::size_t n, const daily_rates &rates,
                        const short_cells &out, slow_rows &slow) noexcept {
    const auto &[country, currency, amount, day] = payments;
    for (std::size_t row = 0; row < n; row++) {
        out.is_null[row] = true;
        if (country.null(row) || currency.null(row) || amount.null(row) || day.null(row))
            continue;
        const daily_rate rate =
            rates.find({country.at(row), country.size(row)}, {currency.at(row), currency.size(row)}, day.values[row]);
        if (rate.is == daily_rate::none)
            continue;
        char *const cell = out.bytes + row * amount_stride;
        const std::size_t size =
            rate.is == daily_rate::known ? convert_amount(amount.at(row), amount.size(row), rate, cell + 1) : 0;
        cell[0] = short_header(size);
        out.is_null[row] = size == 0;
        if (size == 0)
            slow.add(row);
    }
}

} // namespace etl::kernel
