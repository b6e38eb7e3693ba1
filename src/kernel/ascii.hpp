// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

namespace etl::kernel {

// What a byte of the input becomes in the output; `dropped` (no text holds a zero byte) if nothing.
struct byte_map {
    unsigned char to[256];
};

constexpr unsigned char dropped = 0;

// Keeps ASCII letters, upper-cased, and ASCII digits: without any locale, so a Turkish one changes nothing.
constexpr byte_map upper_alphanumeric() noexcept {
    byte_map map{};
    for (int digit = '0'; digit <= '9'; digit++)
        map.to[digit] = static_cast<unsigned char>(digit);
    for (int letter = 'A'; letter <= 'Z'; letter++) {
        map.to[letter] = static_cast<unsigned char>(letter);
        map.to[letter - 'A' + 'a'] = static_cast<unsigned char>(letter);
    }
    return map;
}

} // namespace etl::kernel
