// C++ regime: may throw, never calls PostgreSQL
// numeric as PostgreSQL stores it, from a decimal in plain digits, and the product of two, as plain as it can be said.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace reference {

// The stored form of "-123.450": its places are the display scale. No exponent, at least one digit before the point.
inline std::string numeric_bytes(std::string text) {
    const bool negative = text[0] == '-';
    text.erase(0, negative);
    const std::size_t point = std::min(text.find('.'), text.size());
    std::string whole = text.substr(0, point), part = point < text.size() ? text.substr(point + 1) : "";
    const std::size_t scale = part.size();
    whole.insert(0, (4 - whole.size() % 4) % 4, '0');
    part.append((4 - part.size() % 4) % 4, '0');
    std::string digits = whole + part;
    int weight = static_cast<int>(whole.size() / 4) - 1;
    while (digits.compare(0, 4, "0000") == 0 && !digits.empty()) {
        digits.erase(0, 4);
        weight--;
    }
    while (digits.size() >= 4 && digits.compare(digits.size() - 4, 4, "0000") == 0)
        digits.erase(digits.size() - 4);
    const bool zero = digits.empty();
    if (zero)
        weight = 0;
    std::string bytes;
    const auto put = [&bytes](unsigned value) {
        const auto half = static_cast<std::uint16_t>(value);
        bytes.append(reinterpret_cast<const char *>(&half), sizeof half);
    };
    put(0x8000u | (negative && !zero ? 0x2000u : 0) | static_cast<unsigned>(scale) << 7 |
        (static_cast<unsigned>(weight) & 0x7fu));
    for (std::size_t i = 0; i < digits.size(); i += 4)
        put(static_cast<unsigned>(std::stoul(digits.substr(i, 4))));
    return bytes;
}

// The product of two decimals of at most 18 digits, to two places, half away from zero.
inline std::string converted(const std::string &amount, const std::string &rate) {
    __extension__ typedef unsigned __int128 wide;
    wide product = 1;
    std::size_t places = 0;
    bool negative = false;
    for (const std::string &factor : {amount, rate}) {
        std::uint64_t units = 0;
        for (const char c : factor)
            if (c >= '0' && c <= '9')
                units = units * 10 + static_cast<std::uint64_t>(c - '0');
        product *= units;
        places += factor.find('.') == std::string::npos ? 0 : factor.size() - 1 - factor.find('.');
        negative ^= factor[0] == '-';
    }
    for (; places < 2; places++)
        product *= 10;
    unsigned dropped = 0;
    for (; places > 2; places--) {
        dropped = static_cast<unsigned>(product % 10);
        product /= 10;
    }
    product += dropped >= 5;
    std::string digits;
    for (wide left = product; left > 0; left /= 10)
        digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(left % 10)));
    digits.insert(0, digits.size() < 3 ? 3 - digits.size() : 0, '0');
    return (negative && product > 0 ? "-" : "") + digits.insert(digits.size() - 2, ".");
}

} // namespace reference
