// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/plate_alphabet.hpp"

#include <algorithm>

namespace etl::kernel {

plate_alphabet::plate_alphabet() noexcept : bytes_(upper_alphanumeric()), letters_{} {
    std::fill(std::begin(size_by_lead), std::end(size_by_lead), std::uint8_t{1});
}

void plate_alphabet::add(std::string_view from, std::string_view to) noexcept {
    if (from.empty() || to.empty() || from.size() > longest_letter || to.size() > longest_letter)
        return;
    if (from.size() == 1 && to.size() == 1) {
        bytes_.to[static_cast<unsigned char>(from[0])] = static_cast<unsigned char>(to[0]);
        return;
    }
    if (letter_count_ == sizeof letters_ / sizeof letters_[0])
        return;
    letter &added = letters_[letter_count_++];
    std::memcpy(added.from, from.data(), from.size());
    std::memcpy(added.to, to.data(), to.size());
    added.from_size = static_cast<std::uint8_t>(from.size());
    added.to_size = static_cast<std::uint8_t>(to.size());
}

plate_alphabet utf8_plate_alphabet() noexcept {
    plate_alphabet alphabet;
    alphabet.is_utf8 = true;
    for (int lead = 0xc0; lead < 0xf8; lead++)
        alphabet.size_by_lead[lead] = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    for (const char *upper : {"\xc3\x84", "\xc3\x96", "\xc3\x9c"}) {
        const char lower[] = {upper[0], static_cast<char>(upper[1] + 0x20)};
        alphabet.add({upper, 2}, {upper, 2});
        alphabet.add({lower, 2}, {upper, 2});
    }
    return alphabet;
}

plate_alphabet byte_plate_alphabet() noexcept {
    plate_alphabet alphabet;
    alphabet.add("\xc3", "\xc3");
    for (const char *upper : {"\x84", "\x96", "\x9c"}) {
        const char lower[] = {static_cast<char>(upper[0] + 0x20)};
        alphabet.add(upper, upper);
        alphabet.add({lower, 1}, upper);
    }
    return alphabet;
}

} // namespace etl::kernel
