// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace etl::kernel {

// Digests of rows, which tell rows apart that differ by chance or by damage, not by somebody's intent. Each column's
// value is hashed with a seed of the column's own, so that columns are independent of each other (and of their order):
// the processor works at several at once, and their hashes may be added up. The same bytes give the same hash on every
// machine and in every version: digests are kept.

namespace hashing {

constexpr std::uint64_t first = 0x9e3779b97f4a7c15, second = 0xe7037ed1a0b428db, third = 0x8ebc6af09c88c6e3;

// Both halves of a product of 128 bits, folded.
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t in_order(std::uint64_t bytes) noexcept {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(bytes);
#else
    return bytes;
#endif
}
inline std::uint64_t eight(const char *bytes) noexcept {
    std::uint64_t read;
    std::memcpy(&read, bytes, sizeof read);
    return in_order(read);
}

// Those of n bytes that are the first eight, and that are the next: by masks[8 + n] and masks[n].
constexpr std::uint64_t lowest(unsigned bytes) {
    return bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * bytes) - 1;
}
constexpr std::uint64_t masks[] = {0,         0,         0,         0,         0,         0,         0,
                                   0,         0,         lowest(1), lowest(2), lowest(3), lowest(4), lowest(5),
                                   lowest(6), lowest(7), lowest(8), lowest(8), lowest(8), lowest(8), lowest(8),
                                   lowest(8), lowest(8), lowest(8), lowest(8)};

} // namespace hashing

// A number, as it is in a register.
inline std::uint64_t hash_word(std::uint64_t word, std::uint64_t seed) noexcept {
    return hashing::fold(word ^ hashing::first, seed);
}

// Up to 16 bytes: hash_bytes gives the same. 16 bytes must be readable, whatever the length, and there is no jump that
// depends on it: lengths of values can't be foreseen, and a jump foreseen wrongly costs more than all of this.
inline std::uint64_t hash_few_bytes(const char *bytes, std::size_t length, std::uint64_t seed) noexcept {
    using namespace hashing;
    const std::uint64_t a = eight(bytes) & masks[8 + length], b = eight(bytes + 8) & masks[length];
    return fold(fold(a ^ first, b ^ seed) ^ length, seed ^ third);
}
constexpr std::size_t few_bytes = 16;

inline std::uint64_t hash_bytes(const char *bytes, std::size_t length, std::uint64_t seed) noexcept {
    using namespace hashing;
    if (length <= few_bytes) {
        char padded[few_bytes] = {};
        if (length > 0)
            std::memcpy(padded, bytes, length);
        return hash_few_bytes(padded, length, seed);
    }
    std::uint64_t mixed = seed;
    std::size_t left = length;
    if (left > 64) {
        std::uint64_t other = seed ^ second;
        for (; left > 64; left -= 32, bytes += 32) {
            mixed = fold(eight(bytes) ^ first, eight(bytes + 8) ^ mixed);
            other = fold(eight(bytes + 16) ^ second, eight(bytes + 24) ^ other);
        }
        mixed ^= other;
    }
    if (left > 32) {
        mixed = fold(eight(bytes) ^ first, eight(bytes + 8) ^ mixed);
        mixed = fold(eight(bytes + 16) ^ first, eight(bytes + 24) ^ mixed);
        bytes += left - 32;
        left = 32;
    }
    // The last 17 to 32, some of which may be looked at twice.
    mixed = fold(eight(bytes) ^ first, eight(bytes + 8) ^ mixed);
    const std::uint64_t a = eight(bytes + left - 16), b = eight(bytes + left - 8);
    return fold(fold(a ^ first, b ^ mixed) ^ length, seed ^ third);
}

// The seed of a column, which its name gives. Odd, so that no bit of a word is lost in a product.
inline std::uint64_t column_seed(const char *name, std::size_t length) noexcept {
    return hash_bytes(name, length, hashing::second) | 1;
}

// The digest of a row from the sum of its columns' hashes. Digests of rows are added up in their turn, where sums would
// hide that a value went from one row to another: so every bit of the result depends on all of the sum.
inline std::uint64_t row_digest(std::uint64_t sum) noexcept {
    sum += hashing::first;
    sum = (sum ^ (sum >> 30)) * 0xbf58476d1ce4e5b9;
    sum = (sum ^ (sum >> 27)) * 0x94d049bb133111eb;
    return sum ^ (sum >> 31);
}

} // namespace etl::kernel
