// C++ regime: may throw, never calls PostgreSQL
// The kernels' meaning once more, as plain as it can be said: the unit tests and fuzzers compare with this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reference {

inline std::string clean_vin(std::string_view text) {
    std::string kept;
    for (const char c : text) {
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))
            kept += c;
        else if (c >= 'a' && c <= 'z')
            kept += static_cast<char>(c - 'a' + 'A');
    }
    return kept.size() == 17 && kept.find_first_of("IOQ") == std::string::npos ? kept : std::string();
}

// Splits into characters; a character that the end cuts off is left out.
inline std::vector<std::string> utf8_characters(std::string_view text) {
    std::vector<std::string> characters;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t size = lead >= 0xf8 || lead < 0xc0 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (i + size <= text.size())
            characters.emplace_back(text.substr(i, size));
        i += size;
    }
    return characters;
}

inline std::vector<std::string> byte_characters(std::string_view text) {
    std::vector<std::string> characters;
    for (const char c : text)
        characters.emplace_back(1, c);
    return characters;
}

// A character that is kept and what it becomes.
using letters = std::vector<std::pair<std::string, std::string>>;

inline std::string clean_car_plate(const std::vector<std::string> &characters, const letters &umlauts) {
    std::vector<std::string> kept;
    for (const std::string &character : characters) {
        const char c = character[0];
        if (character.size() == 1 && ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')))
            kept.push_back(character);
        else if (character.size() == 1 && c >= 'a' && c <= 'z')
            kept.emplace_back(1, static_cast<char>(c - 'a' + 'A'));
        else
            for (const auto &[from, to] : umlauts)
                if (character == from)
                    kept.push_back(to);
    }
    if (kept.size() < 2 || kept.size() > 12)
        return {};
    std::string plate;
    for (const std::string &character : kept)
        plate += character;
    return plate;
}

inline const letters utf8_umlauts = {{"\u00c4", "\u00c4"}, {"\u00d6", "\u00d6"}, {"\u00dc", "\u00dc"},
                                     {"\u00e4", "\u00c4"}, {"\u00f6", "\u00d6"}, {"\u00fc", "\u00dc"}};

// What the UTF-8 bytes of the umlauts are to a server that takes each byte for a character.
inline const letters byte_umlauts = {{"\xc3", "\xc3"}, {"\x84", "\x84"}, {"\x96", "\x96"}, {"\x9c", "\x9c"},
                                     {"\xa4", "\x84"}, {"\xb6", "\x96"}, {"\xbc", "\x9c"}};

} // namespace reference
