// C++ regime: may throw, never calls PostgreSQL
#include "kernel/key_map.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <vector>

namespace {

using etl::kernel::key_map;

// A map with its memory, which it grows as the key join does.
struct owned_map {
    std::vector<key_map::slot> slots;
    key_map map;

    owned_map() : slots(std::size_t{1} << key_map::least_bits) {
        map.attach(slots.data(), key_map::least_bits);
    }
    void add(std::int64_t key, void *value) {
        if (map.is_full()) {
            const key_map before = map;
            std::vector<key_map::slot> larger(slots.size() * 2);
            map.attach(larger.data(), before.bits() + 1);
            map.add_all(before);
            slots.swap(larger);
        }
        map.add(key, value);
    }
};

void compare(const std::vector<std::int64_t> &keys, const std::vector<std::int64_t> &others) {
    std::map<std::int64_t, void *> expected;
    std::vector<char> values(keys.size());
    owned_map owned;
    for (std::size_t i = 0; i < keys.size(); i++)
        if (expected.emplace(keys[i], &values[i]).second)
            owned.add(keys[i], &values[i]);
    ASSERT_EQ(owned.map.size(), expected.size());
    ASSERT_LT(owned.map.size(), owned.map.slot_count());
    for (const auto &[key, value] : expected)
        ASSERT_EQ(owned.map.find(key), value) << key;
    for (const std::int64_t key : others)
        ASSERT_EQ(owned.map.find(key) != nullptr, expected.count(key) == 1) << key;
}

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

TEST(KeyMap, FindsNothingWhereNothingIs) {
    compare({}, {0, -1, 1, least, greatest});
}

TEST(KeyMap, KeepsTheEndsOfTheRangeApart) {
    compare({0, least, greatest, -1}, {1, least + 1, greatest - 1, -2});
}

TEST(KeyMap, FindsWhatWasAddedWhileItGrew) {
    std::mt19937_64 random(1);
    for (const std::int64_t stride : {std::int64_t{1}, std::int64_t{3}, std::int64_t{1} << 32, std::int64_t{1} << 50}) {
        std::vector<std::int64_t> keys, others;
        for (std::int64_t i = 0; i < 5000; i++) {
            keys.push_back(
                static_cast<std::int64_t>(static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(stride)));
            others.push_back(static_cast<std::int64_t>(random()));
        }
        compare(keys, others);
        compare(others, keys);
    }
}

TEST(KeyMap, CollidingKeysStayNearTheirHome) {
    // Keys a power of two apart are the usual way to fill one corner of a table.
    owned_map owned;
    char value;
    for (std::int64_t i = 0; i < 100000; i++)
        owned.add(i << 20, &value);
    std::size_t longest = 0, run = 0;
    for (std::size_t i = 0; i < owned.map.slot_count(); i++) {
        run = owned.map.slots()[i].value ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    EXPECT_LT(longest, 200U);
}

} // namespace
