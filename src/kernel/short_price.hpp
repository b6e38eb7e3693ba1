// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/numeric_form.hpp"
#include "kernel/price_code.hpp"

#include <cstring>

namespace etl::kernel {

// The codes of prices of one format, without a branch that depends on the price: a fold that guesses how many digits
// the next one has is wrong too often. It takes numerics of up to four digits to the base 10000, three of them before
// the point; price_code() the rest.
class short_price_reader {
public:
    short_price_reader() noexcept = default;
    explicit short_price_reader(price_format format) noexcept : format_(format) {
        if (format.scale > most_places)
            return;
        for (int i = 0; i < format.scale; i++)
            unit_ *= 10;
        for (int i = format.scale; i < base_digits; i++)
            rest_ *= 10;
        // Multiplied and shifted, a digit behind the point comes to its units.
        part_ = (unit_ << 32) / 10000 + (rest_ > 1);
        usable_ = true;
    }

    // As price_code(). There are 8 bytes in front of `bytes` that may be read, as in a row.
    [[gnu::always_inline]] std::int64_t operator()(const unsigned char *bytes, std::size_t length) const noexcept {
        std::uint16_t header;
        std::uint64_t last;
        std::memcpy(&header, bytes, sizeof header);
        std::memcpy(&last, bytes + length - sizeof last, sizeof last);
        const unsigned count = static_cast<unsigned>(length - sizeof header) / 2;
        const int scale = static_cast<int>((header & short_scale) >> short_scale_shift);
        const int weight = static_cast<int>(header & short_weight) - static_cast<int>(header & short_weight_sign);
        const unsigned ahead = static_cast<unsigned>(2 - weight); // digits that are left out in front
        const bool fits = (header & form_bits) == short_form && ahead <= 4 && count + ahead <= 4 &&
                          (format_.scale_varies ? scale <= format_.scale : scale == format_.scale);
        // Digits from the one worth 10^8 on, the first in the lowest bits. In two steps, as none may be left.
        const unsigned away = (32 - 8 * count) & 63, back = 8 * ahead & 63;
        const std::uint64_t digits = last >> away >> away << back << back;
        const std::uint64_t whole =
            (digits & 0xFFFF) * 100000000 + (digits >> 16 & 0xFFFF) * 10000 + (digits >> 32 & 0xFFFF);
        const std::uint64_t part = (digits >> 48) * part_ >> 32;
        if (!fits || !usable_ || (rest_ > 1 && part * rest_ != digits >> 48))
            return price_code(bytes, length, format_);
        const std::int64_t units = static_cast<std::int64_t>(whole * unit_ + part);
        const std::int64_t sign = -static_cast<std::int64_t>((header & short_negative) != 0); // all bits or none
        const std::int64_t value = (units ^ sign) - sign;
        return format_.scale_varies ? value * (1 << scale_bits) + scale : value;
    }

private:
    static constexpr int most_places = 6;
    price_format format_{};
    std::uint64_t unit_ = 1; // 10^scale
    std::uint64_t rest_ = 1; // 10^(4 - scale), if that is more than 1
    std::uint64_t part_ = 0;
    bool usable_ = false;
};

} // namespace etl::kernel
