// C++ regime: may throw, never calls PostgreSQL
#include "kernel/state_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>
#include <vector>

namespace {

using namespace etl::kernel;

struct event {
    std::int64_t lid, day, price;
};

// The meaning of a price state, said as plainly as can be.
struct plain_state {
    std::vector<std::pair<std::int64_t, std::int64_t>> events; // day, price
    auto fields() const {
        auto sorted = events;
        std::sort(sorted.begin(), sorted.end());
        auto by_price = [](const auto &left, const auto &right) { return left.second < right.second; };
        return std::make_tuple(sorted.front().first, sorted.back().first, sorted.front().second, sorted.back().second,
                               std::min_element(sorted.begin(), sorted.end(), by_price)->second,
                               std::max_element(sorted.begin(), sorted.end(), by_price)->second);
    }
};

auto fields(const price_state &state) {
    return std::make_tuple(state.first_day, state.last_day, state.first, state.last, state.least, state.greatest);
}

// A map with its memory, which it grows as the fold does.
struct owned_map {
    std::vector<price_state> states;
    std::vector<state_map::slot> slots;
    state_map map;

    explicit owned_map(std::size_t capacity) {
        set_capacity(capacity);
    }
    void set_capacity(std::size_t capacity) {
        states.resize(capacity);
        slots.assign(state_map::slots_for(capacity), {0, 0});
        map.attach(states.data(), capacity, slots.data());
    }
    price_state &find(std::int64_t lid) {
        if (map.room() == 0)
            set_capacity(map.capacity() * 2);
        const std::uint32_t hash = state_map::hash(lid);
        map.prefetch_slot(hash);
        return map.state_of(map.look_up(lid, hash), lid, hash);
    }
    void add(const event &one) {
        price_state &state = find(one.lid);
        if (state.has_events)
            absorb(state, one.day, one.price);
        else
            begin(state, one.day, one.price);
    }
};

std::vector<event> random_events(std::mt19937_64 &random, std::size_t count, std::size_t lids) {
    std::vector<event> events;
    for (std::size_t i = 0; i < count; i++) {
        const std::int64_t kinds[] = {static_cast<std::int64_t>(random() % lids),
                                      -static_cast<std::int64_t>(random() % lids),
                                      static_cast<std::int64_t>(random() % lids) << 40};
        events.push_back({kinds[random() % 3], static_cast<std::int64_t>(random() % 9) - 4,
                          static_cast<std::int64_t>(random() % 11) - 5});
    }
    return events;
}

TEST(price_state, any_order_and_repeats_give_one_answer) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 300; round++) {
        std::vector<event> events = random_events(random, 1 + random() % 400, 1 + random() % 60);
        std::map<std::int64_t, plain_state> expected;
        for (const event &one : events)
            expected[one.lid].events.push_back({one.day, one.price});
        for (int order = 0; order < 3; order++) {
            owned_map owned(16);
            for (const event &one : events)
                owned.add(one);
            ASSERT_EQ(owned.map.size(), expected.size());
            const price_state *sorted = owned.map.sort();
            std::size_t at = 0;
            for (const auto &[lid, plain] : expected) {
                ASSERT_EQ(sorted[at].lid, lid);
                ASSERT_EQ(fields(sorted[at]), plain.fields());
                at++;
            }
            std::shuffle(events.begin(), events.end(), random);
            const std::size_t repeated = random() % events.size();
            events.insert(events.end(), events.begin(), events.begin() + static_cast<std::ptrdiff_t>(repeated));
        }
    }
}

TEST(state_map, the_ends_of_bigint) {
    owned_map owned(16);
    const std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       most = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t lid : {most, std::int64_t{0}, least, std::int64_t{-1}})
        owned.add({lid, 1, lid});
    const price_state *sorted = owned.map.sort();
    EXPECT_EQ(sorted[0].lid, least);
    EXPECT_EQ(sorted[2].lid, 0);
    EXPECT_EQ(sorted[3].lid, most);
}

TEST(state_map, sorts_lids_near_and_far) {
    std::mt19937_64 random(4);
    for (int round = 0; round < 300; round++) {
        // Full or not; lids of a few bits or of all, about any middle.
        owned_map owned(1 + random() % 5000);
        const std::size_t count = 1 + random() % owned.map.capacity();
        const std::uint64_t middle = random(), bits = random() % 65;
        std::vector<std::int64_t> lids;
        for (std::size_t i = 0; i < count; i++) {
            lids.push_back(static_cast<std::int64_t>(middle + (bits == 0 ? 0 : random() >> (64 - bits))));
            owned.add({lids.back(), 1, lids.back()});
        }
        std::sort(lids.begin(), lids.end());
        lids.erase(std::unique(lids.begin(), lids.end()), lids.end());
        ASSERT_EQ(owned.map.size(), lids.size());
        for (int times = 0; times < 2; times++) {
            const price_state *sorted = owned.map.sort();
            for (std::size_t i = 0; i < lids.size(); i++) {
                ASSERT_EQ(sorted[i].lid, lids[i]);
                ASSERT_EQ(sorted[i].least, lids[i]);
            }
        }
    }
}

TEST(state_map, grows_by_any_factor) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 50; round++) {
        owned_map owned(10 + random() % 100);
        std::vector<std::int64_t> lids;
        while (owned.map.room() > 0) {
            lids.push_back(static_cast<std::int64_t>(random()));
            owned.add({lids.back(), 1, lids.back()});
        }
        owned.set_capacity(owned.map.capacity() + random() % 1000);
        for (const std::int64_t lid : lids)
            EXPECT_EQ(owned.find(lid).least, lid);
        EXPECT_EQ(owned.map.size(), lids.size());
    }
}

TEST(state_map, lids_of_one_hash) {
    // Found by a search; the hash has 32 bits, so some 100000 lids have a few.
    std::map<std::uint32_t, std::int64_t> seen;
    std::vector<std::int64_t> twins;
    for (std::int64_t lid = 0; twins.size() < 6 && lid < 2000000; lid++) {
        const auto [at, is_new] = seen.emplace(state_map::hash(lid * 1234567891), lid * 1234567891);
        if (!is_new) {
            twins.push_back(at->second);
            twins.push_back(lid * 1234567891);
        }
    }
    ASSERT_EQ(twins.size(), 6u);
    owned_map owned(16);
    for (int round = 0; round < 2; round++)
        for (const std::int64_t lid : twins)
            owned.add({lid, round, lid});
    EXPECT_EQ(owned.map.size(), twins.size());
    for (const std::int64_t lid : twins) {
        EXPECT_EQ(owned.find(lid).least, lid);
        EXPECT_EQ(owned.find(lid).last_day, 1);
    }
}

TEST(state_map, keeps_the_lower_lids) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 50; round++) {
        owned_map owned(16);
        std::vector<std::int64_t> lids;
        for (std::size_t i = 0; i < 1 + random() % 3000; i++) {
            lids.push_back(static_cast<std::int64_t>(random() % 5000) - 2500);
            owned.add({lids.back(), 1, 7});
        }
        std::sort(lids.begin(), lids.end());
        lids.erase(std::unique(lids.begin(), lids.end()), lids.end());
        const std::size_t kept = random() % (lids.size() + 1);
        owned.map.sort();
        owned.map.keep(kept);
        EXPECT_EQ(owned.map.size(), kept);
        for (std::size_t i = 0; i < lids.size(); i++)
            ASSERT_EQ(owned.find(lids[i]).has_events, i < kept);
    }
}

} // namespace
