// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <string_view>

namespace etl::kernel {

// Normalises a vehicle identification number: keeps the ASCII letters and digits of a text in order, upper-cased. They
// are a VIN if they are 17 and none of them is I, O or Q (ISO 3779).
// Whatever is not an ASCII letter or digit is dropped byte by byte. That is dropping character by character in every
// server encoding, since in those no byte of a multi-byte character looks like ASCII.
class vin_cleaner {
public:
    static constexpr std::size_t length = 17;

    // Takes the next piece of the text, of any size: a caller can look for interrupts between pieces of a long one.
    // Returns false once the text cannot be a VIN, whatever follows.
    bool feed(std::string_view piece) noexcept;

    // The VIN, or an empty view if what was fed is none. Valid while the cleaner lives.
    std::string_view result() const noexcept { return {kept_, count_ == length ? length : 0}; }

private:
    char kept_[length];
    std::size_t count_ = 0; // length + 1: refused
};

} // namespace etl::kernel
