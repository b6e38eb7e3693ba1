// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/convert_amount.hpp"

#include "kernel/decimal.hpp"

namespace etl::kernel {

namespace {

__extension__ typedef unsigned __int128 uint128;

constexpr int most_power = 19;
struct power_table {
    std::uint64_t of_10[most_power + 1];
};
constexpr power_table make_powers() noexcept {
    power_table powers{};
    std::uint64_t power = 1;
    for (int i = 0; i <= most_power; i++, power *= 10)
        powers.of_10[i] = power;
    return powers;
}
constexpr power_table powers = make_powers();

constexpr int decimals = 2;
constexpr std::uint64_t end_of_hundredths = 1000000000000000000; // 10^18

// product * 10^-shift, half rounded up; end_of_hundredths if it does not fit.
std::uint64_t rounded(uint128 product, int shift) noexcept {
    if (shift <= 0) {
        if (shift < -most_power || product >= end_of_hundredths)
            return product == 0 ? 0 : end_of_hundredths;
        product *= powers.of_10[-shift];
    } else {
        if (shift > most_power)
            return end_of_hundredths;
        const std::uint64_t divisor = powers.of_10[shift];
        product += divisor / 2;
        // Mostly so, and a division of 64 bits is several times as fast.
        if (product >> 64 == 0)
            return static_cast<std::uint64_t>(product) / divisor < end_of_hundredths
                       ? static_cast<std::uint64_t>(product) / divisor
                       : end_of_hundredths;
        product /= divisor;
    }
    return product < end_of_hundredths ? static_cast<std::uint64_t>(product) : end_of_hundredths;
}

// Digits from the one worth 10000^3 to the hundredths; those that are zero at either end are left out.
std::size_t put_hundredths(std::uint64_t hundredths, bool negative, char *to) noexcept {
    constexpr int places = 5, highest_weight = 3;
    constexpr std::size_t digit_size = sizeof(std::uint16_t);
    const std::uint64_t whole = hundredths / 100;
    const std::uint32_t high = static_cast<std::uint32_t>(whole / 100000000),
                        low = static_cast<std::uint32_t>(whole % 100000000);
    // As many zeros behind them, so that whichever is the first, as many are copied.
    const std::uint16_t digits[2 * places] = {
        static_cast<std::uint16_t>(high / 10000), static_cast<std::uint16_t>(high % 10000),
        static_cast<std::uint16_t>(low / 10000), static_cast<std::uint16_t>(low % 10000),
        static_cast<std::uint16_t>(hundredths % 100 * 100)};
    unsigned used = 0;
    for (int i = 0; i < places; i++)
        used |= static_cast<unsigned>(digits[i] != 0) << i;
    const int first = used ? __builtin_ctz(used) : 0;
    const int count = used ? 32 - __builtin_clz(used) - first : 0;
    const int weight = used ? highest_weight - first : 0;
    const unsigned header = short_form | (negative && used ? short_negative : 0) | decimals << short_scale_shift |
                            (static_cast<unsigned>(weight) & (short_weight | short_weight_sign));
    const std::uint16_t half = static_cast<std::uint16_t>(header);
    std::memcpy(to, &half, digit_size);
    std::memcpy(to + digit_size, digits + first, places * digit_size);
    return digit_size * static_cast<std::size_t>(1 + count);
}

} // namespace

std::size_t convert_amount(const char *amount, std::size_t length, const daily_rate &rate, char *to) noexcept {
    const decimal number = read_decimal(amount, length);
    if (!number.usable)
        return 0;
    // Below 10^16 * 10^16.
    const uint128 product = static_cast<uint128>(number.units) * rate.units;
    const std::uint64_t hundredths = rounded(product, rate.scale - number.exponent - decimals);
    if (hundredths == end_of_hundredths)
        return 0;
    return put_hundredths(hundredths, number.negative != rate.negative, to);
}

} // namespace etl::kernel
