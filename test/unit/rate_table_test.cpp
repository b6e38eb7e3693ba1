// C++ regime: may throw, never calls PostgreSQL
#include "kernel/rate_table.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

using etl::kernel::rate;
using etl::kernel::rate_group;
using etl::kernel::rate_table;

// A table with its memory; values are pointers to the numbers of `values`.
struct owned_table {
    std::vector<rate> rates;
    std::vector<rate_group> groups;
    rate_table table;

    explicit owned_table(std::vector<rate> given) : rates(std::move(given)), groups(rates.size()) {
        for (std::size_t i = 0; i < rates.size(); i++)
            rates[i].position = static_cast<std::uint32_t>(i);
        table = rate_table(rates.data(), rates.size(), groups.data());
    }
};

std::optional<int> find(const rate_table &table, std::string_view country, std::string_view currency, int on) {
    const rate *found = table.find(country, currency, on);
    return found ? std::optional<int>(*static_cast<const int *>(found->value)) : std::nullopt;
}

const int values[] = {0, 1, 2, 3, 4, 5};

TEST(rate_table, empty) {
    EXPECT_EQ(rate_table().find("DE", "EUR", 0), nullptr);
    EXPECT_EQ(owned_table({}).table.find("DE", "EUR", 0), nullptr);
}

TEST(rate_table, the_latest_not_after_the_day) {
    owned_table owned(
        {{"DE", "USD", 20, 0, &values[2]}, {"DE", "USD", 10, 0, &values[1]}, {"GB", "USD", 5, 0, &values[3]}});
    EXPECT_EQ(find(owned.table, "DE", "USD", 9), std::nullopt);
    EXPECT_EQ(find(owned.table, "DE", "USD", 10), 1);
    EXPECT_EQ(find(owned.table, "DE", "USD", 19), 1);
    EXPECT_EQ(find(owned.table, "DE", "USD", 20), 2);
    EXPECT_EQ(find(owned.table, "DE", "USD", std::numeric_limits<std::int32_t>::max()), 2);
    EXPECT_EQ(find(owned.table, "GB", "USD", 5), 3);
    EXPECT_EQ(find(owned.table, "DE", "USD", 20), 2) << "after another country";
}

TEST(rate_table, infinite_days) {
    owned_table owned({{"DE", "USD", std::numeric_limits<std::int32_t>::min(), 0, &values[1]},
                       {"DE", "USD", std::numeric_limits<std::int32_t>::max(), 0, &values[2]}});
    EXPECT_EQ(find(owned.table, "DE", "USD", std::numeric_limits<std::int32_t>::min()), 1);
    EXPECT_EQ(find(owned.table, "DE", "USD", 0), 1);
    EXPECT_EQ(find(owned.table, "DE", "USD", std::numeric_limits<std::int32_t>::max()), 2);
}

TEST(rate_table, keys_are_bytes) {
    owned_table owned({{"DE", "USD", 0, 0, &values[1]}, {"D", "EUSD", 0, 0, &values[2]}, {"", "", 0, 0, &values[3]}});
    EXPECT_EQ(find(owned.table, "DE", "USD", 0), 1);
    EXPECT_EQ(find(owned.table, "D", "EUSD", 0), 2);
    EXPECT_EQ(find(owned.table, "", "", 0), 3);
    for (const char *other : {"de", "DE ", "D", "DEU", "\xff"})
        EXPECT_EQ(find(owned.table, other, "USD", 0), std::nullopt) << other;
}

TEST(rate_table, a_missing_value_hides_older_ones) {
    owned_table owned({{"DE", "USD", 0, 0, &values[1]}, {"DE", "USD", 5, 0, nullptr}});
    ASSERT_NE(owned.table.find("DE", "USD", 6), nullptr);
    EXPECT_EQ(owned.table.find("DE", "USD", 6)->value, nullptr);
}

TEST(rate_table, the_later_of_two_rates_of_a_day) {
    owned_table owned({{"DE", "USD", 5, 0, &values[1]}, {"DE", "USD", 5, 0, &values[2]}});
    EXPECT_EQ(find(owned.table, "DE", "USD", 5), 2);
}

TEST(rate_table, equals_a_plain_search) {
    std::mt19937 random(3);
    const std::vector<std::string> names = {"", "A", "AT", "DE", "DEU", "GB", "\xc3\x84", "EUR", "USD"};
    for (int round = 0; round < 200; round++) {
        std::vector<rate> rates;
        for (std::size_t i = random() % 60; i > 0; i--)
            rates.push_back({names[random() % names.size()], names[random() % names.size()],
                             static_cast<std::int32_t>(random() % 20) - 10, 0, &values[random() % 6]});
        const std::vector<rate> unsorted = rates;
        owned_table owned(rates);
        for (int i = 0; i < 300; i++) {
            const std::string &country = names[random() % names.size()];
            const std::string &currency = names[random() % names.size()];
            const int on = static_cast<int>(random() % 24) - 12;
            const rate *expected = nullptr;
            for (const rate &each : unsorted)
                if (each.country == country && each.currency == currency && each.valid_from <= on &&
                    (!expected || expected->valid_from <= each.valid_from))
                    expected = &each;
            const rate *found = owned.table.find(country, currency, on);
            ASSERT_EQ(found != nullptr, expected != nullptr);
            if (found) {
                ASSERT_EQ(found->valid_from, expected->valid_from);
                ASSERT_EQ(found->value, expected->value);
            }
        }
    }
}

} // namespace
