// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/ascii.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace etl::kernel {

// The characters of a car plate in one encoding: which are kept, and in which form. Plain data, made once a backend.
// Starts with the ASCII letters and digits of a single-byte encoding; add() adds the umlauts that the encoding has.
class plate_alphabet {
public:
    static constexpr std::size_t longest_letter = 4; // bytes; no server encoding has longer characters

    // Bytes of a character, by its first byte: at least 1.
    std::uint8_t size_by_lead[256];

    // True of utf8_plate_alphabet(), to which nothing must be added then.
    bool is_utf8 = false;

    plate_alphabet() noexcept;

    // `from` is kept, as `to`: two characters of the encoding with 1 to 4 bytes. At most 6 characters can be longer
    // than one byte; more are ignored.
    void add(std::string_view from, std::string_view to) noexcept;

    // What a character becomes; empty if it is dropped.
    std::string_view single(unsigned char character) const noexcept {
        const char *kept = reinterpret_cast<const char *>(&bytes_.to[character]);
        return {kept, *kept == static_cast<char>(dropped) ? 0u : 1u};
    }
    std::string_view wide(std::string_view character) const noexcept {
        for (std::size_t i = 0; i < letter_count_; i++)
            if (letters_[i].from_size == character.size() &&
                std::memcmp(letters_[i].from, character.data(), character.size()) == 0)
                return {letters_[i].to, letters_[i].to_size};
        return {};
    }

private:
    struct letter {
        char from[longest_letter];
        char to[longest_letter];
        std::uint8_t from_size;
        std::uint8_t to_size;
    };

    byte_map bytes_;
    letter letters_[6];
    std::size_t letter_count_ = 0;
};

// The contract's alphabet in UTF-8: A to Z, 0 to 9, and the umlauts of A, O and U in both cases.
plate_alphabet utf8_plate_alphabet() noexcept;

// The same where the server takes every byte for a character (SQL_ASCII). The contract's pattern, UTF-8 in its file, is
// a set of bytes there: each byte of an umlaut is kept on its own, and upper-casing maps single trailing bytes.
plate_alphabet byte_plate_alphabet() noexcept;

} // namespace etl::kernel
