// C++ regime: may throw, never calls PostgreSQL
#include "kernel/key_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using etl::kernel::keyed_place;

void compare(const std::vector<std::uint64_t> &keys) {
    std::vector<keyed_place> places, spare(keys.size());
    for (std::size_t i = 0; i < keys.size(); i++)
        places.push_back({keys[i], static_cast<std::uint32_t>(i)});
    std::vector<keyed_place> expected = places;
    std::stable_sort(expected.begin(), expected.end(),
                     [](const keyed_place &a, const keyed_place &b) { return a.key < b.key; });
    const keyed_place *sorted = etl::kernel::sort_by_key(places.data(), spare.data(), places.size());
    for (std::size_t i = 0; i < keys.size(); i++) {
        ASSERT_EQ(sorted[i].key, expected[i].key) << i;
        ASSERT_EQ(sorted[i].place, expected[i].place) << i;
    }
}

TEST(key_order, none_one_and_equal_ones) {
    compare({});
    compare({7});
    compare(std::vector<std::uint64_t>(1000, 7));
}

TEST(key_order, in_order_and_against_it) {
    std::vector<std::uint64_t> keys;
    for (std::uint64_t i = 0; i < 3000; i++)
        keys.push_back(i * i * i * i * 100003);
    compare(keys);
    std::reverse(keys.begin(), keys.end());
    compare(keys);
}

TEST(key_order, keys_that_differ_in_some_bytes) {
    std::mt19937_64 random(1);
    for (int byte = 0; byte < 8; byte++)
        for (const std::uint64_t mask : {0xffull, 0xf0full, 0xff0000ffull}) {
            std::vector<std::uint64_t> keys(5000);
            for (std::uint64_t &key : keys)
                key = ((random() & mask) << 8 * byte) | 0x0100000000000001;
            compare(keys);
        }
}

TEST(key_order, ends_of_the_range) {
    std::mt19937_64 random(2);
    std::vector<std::uint64_t> keys;
    for (int i = 0; i < 1000; i++)
        keys.push_back(random() % 3 == 0 ? 0 : random() % 2 == 0 ? ~std::uint64_t{0} : random());
    compare(keys);
}

} // namespace
