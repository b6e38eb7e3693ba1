// C++ regime: may throw, never calls PostgreSQL
#include "kernel/convert_amount.hpp"
#include "kernel/decimal.hpp"
#include "numeric_reference.hpp"
#include "rows.hpp"

namespace {

// The digits, sign and point of an input: at most 9 before the point and as many after it.
std::string number(const std::uint8_t *data, std::size_t size) {
    std::string whole, part;
    for (std::size_t i = 1; i < size; i++)
        (i <= data[0] % 10u ? whole : part) += static_cast<char>('0' + data[i] % 10);
    whole = "0" + whole.substr(0, 9);
    part = part.substr(0, 9);
    return (data[0] & 128 ? "-" : "") + whole + (part.empty() ? "" : "." + part);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using etl::kernel::daily_rate;
    char written[etl::kernel::most_amount_bytes];
    // Bytes that are no numeric do no harm.
    const std::string any(reinterpret_cast<const char *>(data), size);
    fuzz::require(etl::kernel::convert_amount(any.data(), any.size(), {1, 0, false, daily_rate::known}, written) <=
                  sizeof written);
    if (size < 4)
        return 0;
    const std::string amount = number(data, size / 2), rate = number(data + size / 2, size - size / 2);
    const std::string amount_bytes = reference::numeric_bytes(amount), rate_bytes = reference::numeric_bytes(rate);
    const etl::kernel::decimal decimal = etl::kernel::read_decimal(rate_bytes.data(), rate_bytes.size());
    if (!decimal.usable || decimal.exponent > 0)
        return 0;
    const daily_rate known = {decimal.units, static_cast<std::uint8_t>(-decimal.exponent), decimal.negative,
                              daily_rate::known};
    const std::size_t bytes = etl::kernel::convert_amount(amount_bytes.data(), amount_bytes.size(), known, written);
    fuzz::require(bytes == 0 ||
                  std::string(written, bytes) == reference::numeric_bytes(reference::converted(amount, rate)));
    return 0;
}
