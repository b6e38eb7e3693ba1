// C++ regime: may throw, never calls PostgreSQL
#include "kernel/value_hash.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

using etl::kernel::column_seed;
using etl::kernel::few_bytes;
using etl::kernel::hash_bytes;
using etl::kernel::hash_few_bytes;
using etl::kernel::hash_word;
using etl::kernel::row_digest;

constexpr std::uint64_t seed = 0x123456789abcdef1;

std::uint64_t hash_of(const std::string &text, std::uint64_t with = seed) {
    return hash_bytes(text.data(), text.size(), with);
}

std::string pattern(std::size_t length) {
    std::string made;
    for (std::size_t i = 0; i < length; i++)
        made += static_cast<char>('a' + i % 23);
    return made;
}

// Digests are kept in tables: another algorithm would find every mart damaged.
TEST(value_hash, stays_as_it_is) {
    EXPECT_EQ(hash_word(0, seed), UINT64_C(7796235046147167380));
    EXPECT_EQ(column_seed("lid", 3), UINT64_C(6916303572126879577));
    EXPECT_EQ(hash_of(""), UINT64_C(4656532200212385495));
    EXPECT_EQ(hash_of("ab"), UINT64_C(4991382688314698917));
    EXPECT_EQ(hash_of("abcde"), UINT64_C(12611774114699059115));
    EXPECT_EQ(hash_of("WVWZZZ1JZ3W386752"), UINT64_C(6155946309309702113));
    EXPECT_EQ(hash_of(pattern(200)), UINT64_C(3337550058470245795));
    EXPECT_EQ(row_digest(0), UINT64_C(16294208416658607535));
}

// Bytes behind and before a value have no part in its hash, wherever it lies.
TEST(value_hash, depends_on_its_bytes_alone) {
    for (std::size_t length = 0; length < 300; length++) {
        const std::string value = pattern(length);
        for (std::size_t shift = 0; shift < 9; shift++) {
            const std::string around = std::string(shift, '\xff') + value + std::string(16, '\xee');
            ASSERT_EQ(hash_bytes(around.data() + shift, length, seed), hash_of(value)) << length << " " << shift;
            if (length <= few_bytes) {
                ASSERT_EQ(hash_few_bytes(around.data() + shift, length, seed), hash_of(value)) << length << " " << shift;
            }
        }
    }
}

TEST(value_hash, tells_lengths_and_zeros_apart) {
    std::set<std::uint64_t> seen;
    for (std::size_t length = 0; length < 300; length++) {
        EXPECT_TRUE(seen.insert(hash_of(std::string(length, '\0'))).second) << length;
        EXPECT_TRUE(seen.insert(hash_of(pattern(length) + "!")).second) << length;
    }
}

// About half of the bits of the result change with any bit of the value.
TEST(value_hash, every_bit_counts) {
    for (const std::size_t length : {1, 2, 3, 4, 5, 7, 8, 11, 16, 17, 31, 48, 49, 100, 145}) {
        const std::string value = pattern(length);
        const std::uint64_t whole = hash_of(value);
        int changed = 0;
        for (std::size_t bit = 0; bit < 8 * length; bit++) {
            std::string other = value;
            other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << bit % 8));
            const std::uint64_t difference = whole ^ hash_of(other);
            ASSERT_NE(difference, 0U) << length << " " << bit;
            changed += __builtin_popcountll(difference);
        }
        EXPECT_NEAR(changed / (8.0 * static_cast<double>(length)), 32, 6) << length;
    }
    for (int bit = 0; bit < 64; bit++)
        EXPECT_NE(hash_word(4711, seed), hash_word(4711 ^ (UINT64_C(1) << bit), seed)) << bit;
}

TEST(value_hash, words_do_not_collide) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t word = 0; word < 200000; word++)
        EXPECT_TRUE(seen.insert(hash_word(word, seed)).second) << word;
    for (std::uint64_t word = 1; word <= 100000; word++)
        EXPECT_TRUE(seen.insert(hash_word(0 - word, seed)).second) << word;
}

TEST(value_hash, columns_have_seeds_of_their_own) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 2000; i++) {
        const std::string name = "column_" + std::to_string(i);
        const std::uint64_t own = column_seed(name.data(), name.size());
        EXPECT_EQ(own & 1, 1U);
        EXPECT_TRUE(seen.insert(own).second);
        EXPECT_TRUE(seen.insert(hash_word(1, own)).second);
    }
}

// Rows of few small numbers, in which plain sums would cancel out: values that change places between columns of a row,
// or between rows.
TEST(value_hash, exchanged_values_show) {
    std::mt19937_64 random(1);
    const std::uint64_t a = column_seed("a", 1), b = column_seed("b", 1);
    const auto digest = [&](std::uint64_t x, std::uint64_t y) { return row_digest(hash_word(x, a) + hash_word(y, b)); };
    for (int i = 0; i < 100000; i++) {
        const std::uint64_t x = random() % 1000, y = 1000 + random() % 1000, z = random() % 1000, w = 1000 + random() % 1000;
        ASSERT_NE(digest(x, y), digest(y, x));
        if (x != z && y != w) {
            ASSERT_NE(digest(x, y) + digest(z, w), digest(x, w) + digest(z, y));
            ASSERT_NE(digest(x, y) + digest(z, w), digest(z, y) + digest(z, w));
        }
    }
}

// Digests of random rows are spread evenly over buckets (chi-squared).
TEST(value_hash, digests_are_even) {
    constexpr int rows = 1 << 20, buckets = 1 << 10;
    for (const int shift : {0, 27, 54}) {
        std::vector<int> counts(buckets);
        for (int row = 0; row < rows; row++)
            counts[(row_digest(hash_word(static_cast<std::uint64_t>(row), seed)) >> shift) % buckets]++;
        double squares = 0;
        for (const int count : counts)
            squares += (count - double(rows) / buckets) * (count - double(rows) / buckets) / (double(rows) / buckets);
        // mean 1023, standard deviation 45
        EXPECT_NEAR(squares, buckets - 1, 6 * std::sqrt(2.0 * (buckets - 1))) << shift;
    }
}

} // namespace
