// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/plate_alphabet.hpp"

#include <cstddef>
#include <string_view>

namespace etl::kernel {

// Normalises a car plate: keeps the ASCII letters, digits and German umlauts of a text in order, upper-cased. They are
// a plate if they are 2 to 12 characters. Two plates in one text run together, and are one if they are short enough.
// A multi-byte character that the text's end cuts off is dropped.
class plate_cleaner {
public:
    static constexpr std::size_t shortest = 2;
    static constexpr std::size_t longest = 12;

    explicit plate_cleaner(const plate_alphabet &alphabet) noexcept : alphabet_(alphabet) {}

    // Takes the characters of `text` that begin at byte `from` or later, but before byte `until`; `text` is the whole
    // text at every call. Returns where the next character begins: the `from` of the next call, so that a caller can
    // look for interrupts in between. Returns text.size() once the text is taken in or cannot be a plate any more.
    std::size_t feed(std::string_view text, std::size_t from, std::size_t until) noexcept;

    // The plate, or an empty view if what was fed is none. Valid while the cleaner lives.
    std::string_view result() const noexcept;

private:
    const plate_alphabet &alphabet_;
    char kept_[longest * plate_alphabet::longest_letter];
    std::size_t bytes_ = 0;
    std::size_t characters_ = 0; // longest + 1: refused
};

} // namespace etl::kernel
