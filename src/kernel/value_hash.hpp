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
inline std::uint64_t four(const char *bytes) noexcept {
    std::uint32_t read;
    std::memcpy(&read, bytes, sizeof read);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    read = __builtin_bswap32(read);
#endif
    return read;
}
inline std::uint64_t one(const char *byte) noexcept {
    return static_cast<unsigned char>(*byte);
}

} // namespace hashing

// A number, as it is in a register.
inline std::uint64_t hash_word(std::uint64_t word, std::uint64_t seed) noexcept {
    return hashing::fold(word ^ hashing::first, seed);
}

inline std::uint64_t hash_bytes(const char *bytes, std::size_t length, std::uint64_t seed) noexcept {
    using namespace hashing;
    const std::uint64_t size = length;
    std::uint64_t a, b, mixed = seed;
    if (length > 16) {
        std::size_t left = length;
        if (left > 48) {
            std::uint64_t other = seed ^ second, another = seed ^ third;
            for (; left > 48; left -= 48, bytes += 48) {
                mixed = fold(eight(bytes) ^ first, eight(bytes + 8) ^ mixed);
                other = fold(eight(bytes + 16) ^ second, eight(bytes + 24) ^ other);
                another = fold(eight(bytes + 32) ^ third, eight(bytes + 40) ^ another);
            }
            mixed ^= other ^ another;
        }
        for (; left > 16; left -= 16, bytes += 16)
            mixed = fold(eight(bytes) ^ first, eight(bytes + 8) ^ mixed);
        // The last 16, some of which may have been seen.
        a = eight(bytes + left - 16);
        b = eight(bytes + left - 8);
    } else if (length >= 8) {
        a = eight(bytes);
        b = eight(bytes + length - 8);
    } else if (length >= 4) {
        a = four(bytes);
        b = four(bytes + length - 4);
    } else {
        a = length == 0 ? 0 : one(bytes) | one(bytes + length / 2) << 8 | one(bytes + length - 1) << 16;
        b = 0;
    }
    return fold(fold(a ^ first, b ^ mixed) ^ size, seed ^ third);
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
