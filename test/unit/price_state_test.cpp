// C++ regime: may throw, never calls PostgreSQL
#include "kernel/price_state.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

namespace {

using namespace etl::kernel;

// A price and an event as plainly as can be, in their order: -infinity, numbers, infinity, NaN; of equal numbers the
// one that shows fewer places comes first.
struct plain_price {
    enum kind_of { minus_infinity, number, infinity, nan } kind;
    std::int64_t millionths;
    int scale;

    auto value() const {
        return std::make_tuple(kind, millionths);
    }
    auto order() const {
        return std::make_tuple(kind, millionths, scale);
    }
};
bool operator==(const plain_price &left, const plain_price &right) {
    return left.order() == right.order();
}
struct plain_event {
    std::int64_t day;
    plain_price price;
};

// The meaning of a price state: what stands at the ends of its sorted events.
struct plain_state {
    std::vector<plain_event> by_day, by_price;

    explicit plain_state(std::vector<plain_event> events) : by_day(events), by_price(events) {
        std::sort(by_day.begin(), by_day.end(), [](const auto &left, const auto &right) {
            return std::make_pair(left.day, left.price.order()) < std::make_pair(right.day, right.price.order());
        });
        std::sort(by_price.begin(), by_price.end(),
                  [](const auto &left, const auto &right) { return left.price.order() < right.price.order(); });
    }
    // Whether an event is like an extreme but for its scale.
    bool may_miss(const plain_event &event) const {
        auto like = [&event](const plain_event &other) {
            return event.day == other.day && event.price.value() == other.price.value();
        };
        return like(by_day.front()) || like(by_day.back()) || event.price.value() == by_price.front().price.value() ||
               event.price.value() == by_price.back().price.value();
    }
};

// The numeric of a price as the server stores it.
std::vector<unsigned char> stored(const plain_price &price) {
    std::vector<unsigned> digits;
    unsigned header = 0xC000;
    if (price.kind == plain_price::number) {
        std::int64_t hundred_millionths = std::abs(price.millionths) * 100;
        int weight = -3;
        for (; hundred_millionths > 0; hundred_millionths /= 10000, weight++)
            digits.insert(digits.begin(), static_cast<unsigned>(hundred_millionths % 10000));
        while (!digits.empty() && digits.back() == 0)
            digits.pop_back();
        if (digits.empty())
            weight = 0;
        header = 0x8000u | (price.millionths < 0 ? 0x2000u : 0u) | static_cast<unsigned>(price.scale) << 7 |
                 (static_cast<unsigned>(weight) & 0x7fu);
    } else if (price.kind != plain_price::nan) {
        header = price.kind == plain_price::infinity ? 0xD000 : 0xF000;
    }
    digits.insert(digits.begin(), header);
    std::vector<unsigned char> bytes;
    for (const unsigned digit : digits) {
        bytes.push_back(static_cast<unsigned char>(digit & 0xff));
        bytes.push_back(static_cast<unsigned char>(digit >> 8));
    }
    return bytes;
}

// States with prices as codes.
struct coded {
    price_format format;

    std::int64_t price(const plain_price &of) {
        const std::vector<unsigned char> bytes = stored(of);
        const std::int64_t code = price_code(bytes.data(), bytes.size(), format);
        EXPECT_NE(code, no_code);
        return code;
    }
    void add(price_state &state, const plain_event &event) {
        const std::int64_t its = price(event.price);
        if (state.has_events)
            absorb(state, event.day, its);
        else
            begin(state, event.day, its);
    }
    bool merge(price_state &state, const price_state &other) const {
        return etl::kernel::merge(state, other);
    }
    bool same(const price_state &left, const price_state &right) const {
        return etl::kernel::same(left, right);
    }
    bool may_miss(const price_state &state, const price_state &removed) const {
        return etl::kernel::may_miss(state, removed, format);
    }
    bool is(std::int64_t mine, const plain_price &expected) {
        return mine == price(expected);
    }
};

// States with prices as handles: those that have no code. An event is a state of its own; handles have no order.
struct handled {
    std::vector<plain_price> prices;

    static int compare(const plain_price &left, const plain_price &right) {
        return left.order() < right.order() ? -1 : right.order() < left.order();
    }
    auto by_order() const {
        return [this](std::int64_t left, std::int64_t right) {
            return compare(prices[static_cast<std::size_t>(left)], prices[static_cast<std::size_t>(right)]);
        };
    }
    void add(price_state &state, const plain_event &event) {
        prices.push_back(event.price);
        const auto handle = static_cast<std::int64_t>(prices.size() - 1);
        if (state.has_events) {
            price_state single{};
            begin(single, event.day, handle);
            merge(state, single);
        } else {
            begin(state, event.day, handle);
        }
    }
    bool merge(price_state &state, const price_state &other) const {
        return etl::kernel::merge(state, other, by_order(), [](std::int64_t &mine, std::int64_t its) { mine = its; });
    }
    bool same(const price_state &left, const price_state &right) const {
        return etl::kernel::same(left, right, by_order());
    }
    bool may_miss(const price_state &state, const price_state &removed) const {
        return etl::kernel::may_miss(state, removed, [this](std::int64_t left, std::int64_t right) {
            plain_price one = prices[static_cast<std::size_t>(left)], other = prices[static_cast<std::size_t>(right)];
            one.scale = other.scale = 0;
            return compare(one, other);
        });
    }
    bool is(std::int64_t mine, const plain_price &expected) const {
        return prices[static_cast<std::size_t>(mine)] == expected;
    }
};

template <class Prices> void expect(Prices &prices, const price_state &state, const plain_state &plain) {
    ASSERT_TRUE(state.has_events);
    ASSERT_EQ(state.first_day, plain.by_day.front().day);
    ASSERT_EQ(state.last_day, plain.by_day.back().day);
    ASSERT_TRUE(prices.is(state.first, plain.by_day.front().price));
    ASSERT_TRUE(prices.is(state.last, plain.by_day.back().price));
    ASSERT_TRUE(prices.is(state.least, plain.by_price.front().price));
    ASSERT_TRUE(prices.is(state.greatest, plain.by_price.back().price));
}

// Few days and few numbers, so that there are ties; days and prices at their ends.
plain_event random_event(std::mt19937_64 &random, bool scale_varies) {
    auto below = [&random](std::uint64_t most) { return static_cast<int>(random() % most); };
    constexpr std::int64_t days[] = {std::numeric_limits<std::int64_t>::min(), -1, 0, 1, 8000,
                                     std::numeric_limits<std::int64_t>::max()};
    plain_price price{plain_price::number, 0, scale_varies ? below(7) : 2};
    constexpr plain_price::kind_of ends[] = {plain_price::minus_infinity, plain_price::infinity, plain_price::nan};
    switch (below(12)) {
    case 0:
        price = {ends[below(3)], 0, 0};
        break;
    case 1:
        price.millionths = (below(2) ? 1 : -1) * std::int64_t{10000000000000000};
        break;
    default:
        // What the scale shows, and no more; often zero or a whole number.
        price.millionths = (below(9) - 4) * std::int64_t{1000000};
        if (below(2))
            for (std::int64_t place = 100000, i = 0; i < price.scale; i++, place /= 10)
                price.millionths += below(2) * place;
    }
    return {days[below(6)], price};
}

std::vector<plain_event> random_events(std::mt19937_64 &random, bool scale_varies) {
    std::vector<plain_event> events;
    for (std::uint64_t left = 1 + random() % (random() % 4 ? 8 : 60); left > 0; left--)
        events.push_back(random_event(random, scale_varies));
    return events;
}

template <class Prices> price_state fold(Prices &prices, const std::vector<plain_event> &events) {
    price_state state{};
    for (const plain_event &event : events)
        prices.add(state, event);
    return state;
}

// Any order, with repeats, in any parts, which are merged in any order.
template <class Prices> void check_one_answer(Prices prices, bool scale_varies, unsigned seed) {
    std::mt19937_64 random(seed);
    for (int round = 0; round < 3000; round++) {
        std::vector<plain_event> events = random_events(random, scale_varies);
        const plain_state plain(events);
        const std::size_t given = events.size();
        for (std::size_t repeats = random() % (given + 1); repeats > 0; repeats--)
            events.push_back(events[random() % given]);
        std::shuffle(events.begin(), events.end(), random);
        const price_state all = fold(prices, events);
        expect(prices, all, plain);

        std::vector<std::vector<plain_event>> parts(1 + random() % 5);
        for (const plain_event &event : events)
            parts[random() % parts.size()].push_back(event);
        price_state merged{};
        for (const std::vector<plain_event> &part : parts) {
            if (part.empty())
                continue;
            const price_state its = fold(prices, part), before = merged;
            if (merged.has_events) {
                const bool changed = prices.merge(merged, its);
                ASSERT_EQ(changed, !prices.same(before, merged));
            } else {
                merged = its;
            }
            price_state again = merged;
            ASSERT_FALSE(prices.merge(again, its)) << "a second time changes nothing";
            price_state other_way = its;
            if (before.has_events)
                prices.merge(other_way, before);
            ASSERT_TRUE(prices.same(other_way, merged)) << "either into the other";
        }
        expect(prices, merged, plain);
        ASSERT_TRUE(prices.same(merged, all));
        ASSERT_FALSE(prices.same(merged, price_state{}));
    }
}

// Removed events without an extreme leave the state; that is told as well as the removed ones' fold can tell it.
template <class Prices> void check_removals(Prices prices, bool scale_varies, unsigned seed) {
    std::mt19937_64 random(seed);
    int missed = 0, kept = 0;
    for (int round = 0; round < 6000; round++) {
        std::vector<plain_event> events = random_events(random, scale_varies);
        const plain_state plain(events);
        const price_state state = fold(prices, events);
        const auto removed = static_cast<std::ptrdiff_t>(1 + random() % std::min<std::size_t>(events.size(), 3));
        const std::vector<plain_event> gone(events.begin(), events.begin() + removed),
            left(events.begin() + removed, events.end());
        const bool expected =
            std::any_of(gone.begin(), gone.end(), [&plain](const auto &event) { return plain.may_miss(event); });
        ASSERT_EQ(prices.may_miss(state, fold(prices, gone)), expected);
        (expected ? missed : kept)++;
        if (!expected)
            expect(prices, state, plain_state(left));
        ASSERT_FALSE(prices.may_miss(state, price_state{})) << "nothing was removed";
        ASSERT_TRUE(prices.may_miss(price_state{}, fold(prices, gone))) << "a row without events";
    }
    EXPECT_GT(missed, 100);
    EXPECT_GT(kept, 100);
}

TEST(price_state, one_answer_for_codes_of_a_fixed_scale) {
    check_one_answer(coded{{2, false}}, false, 1);
}
TEST(price_state, one_answer_for_codes_of_an_open_scale) {
    check_one_answer(coded{open_format}, true, 2);
}
TEST(price_state, one_answer_for_handles) {
    check_one_answer(handled{}, true, 3);
}
TEST(price_state, removals_for_codes_of_a_fixed_scale) {
    check_removals(coded{{2, false}}, false, 4);
}
TEST(price_state, removals_for_codes_of_an_open_scale) {
    check_removals(coded{open_format}, true, 5);
}
TEST(price_state, removals_for_handles) {
    check_removals(handled{}, true, 6);
}

// Of integers and floating-point numbers the codes are the prices, with no meaning of their own at the ends.
TEST(price_state, codes_of_integers_at_their_ends) {
    constexpr price_format whole_numbers{0, false};
    price_state state{}, removed{};
    begin(state, 1, no_code);
    for (const std::int64_t price : {nan_code, infinity_code, minus_infinity_code, std::int64_t{0}})
        absorb(state, 1, price);
    EXPECT_EQ(state.first, minus_infinity_code);
    EXPECT_EQ(state.last, nan_code);
    begin(removed, 1, no_code);
    absorb(removed, 1, infinity_code);
    EXPECT_FALSE(may_miss(state, removed, whole_numbers));
    absorb(removed, 1, minus_infinity_code);
    EXPECT_TRUE(may_miss(state, removed, whole_numbers));
}

} // namespace
