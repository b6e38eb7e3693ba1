// C++ regime: may throw, never calls PostgreSQL
#include "columns.hpp"
#include "kernel/convert_amount.hpp"
#include "kernel/convert_currencies.hpp"
#include "numeric_reference.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace {

using namespace etl::kernel;
using columns::maybe_text;
using reference::numeric_bytes;

constexpr std::int32_t before_all = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t after_all = std::numeric_limits<std::int32_t>::max();

std::string_view bytes_of(const void *value) {
    return *static_cast<const std::string *>(value);
}

// Rates in both forms, with their memory.
class all_rates {
public:
    void add(std::string_view country, std::string_view currency, std::int32_t from, const maybe_text &value) {
        numbers_.push_back(value.value_or(""));
        rates_.push_back(
            {country, currency, from, static_cast<std::uint32_t>(rates_.size()), value ? &numbers_.back() : nullptr});
    }
    const daily_rates &daily() {
        groups_.resize(rates_.size());
        table_ = rate_table(rates_.data(), rates_.size(), groups_.data());
        memory_.reset(new char[daily_rates::bytes_needed(table_)]);
        daily_ = daily_rates(table_, bytes_of, memory_.get());
        return daily_;
    }
    const rate_table &table() const {
        return table_;
    }

private:
    std::deque<std::string> numbers_;
    std::vector<rate> rates_;
    std::vector<rate_group> groups_;
    rate_table table_;
    std::unique_ptr<char[]> memory_;
    daily_rates daily_;
};

std::string convert(const std::string &amount, const std::string &rate) {
    all_rates rates;
    rates.add("DE", "USD", 0, numeric_bytes(rate));
    const daily_rate known = rates.daily().find("DE", "USD", 5);
    if (known.is != daily_rate::known)
        return "slow rate";
    char written[most_amount_bytes];
    const std::string bytes = numeric_bytes(amount);
    return std::string(written, convert_amount(bytes.data(), bytes.size(), known, written));
}

TEST(convert_amount, known_answers) {
    EXPECT_EQ(convert("100", "0.9"), numeric_bytes("90.00"));
    EXPECT_EQ(convert("0.005", "1"), numeric_bytes("0.01"));
    EXPECT_EQ(convert("-0.005", "1"), numeric_bytes("-0.01"));
    EXPECT_EQ(convert("0.004", "1"), numeric_bytes("0.00"));
    EXPECT_EQ(convert("-0.004", "1"), numeric_bytes("0.00"));
    EXPECT_EQ(convert("0.00", "0.12345678"), numeric_bytes("0.00"));
    EXPECT_EQ(convert("100", "0"), numeric_bytes("0.00"));
    EXPECT_EQ(convert("9999999999.99", "1.00000000"), numeric_bytes("9999999999.99"));
    EXPECT_EQ(convert("9999999999.99", "-1.23456789"),
              numeric_bytes(reference::converted("9999999999.99", "-1.23456789")));
    EXPECT_EQ(convert("100000000", "99999999"), numeric_bytes("9999999900000000.00"));
    EXPECT_EQ(convert("100000000", "100000000"), "") << "one too many";
    EXPECT_EQ(convert("0.3000000000000000", "1"), numeric_bytes("0.30"));
    EXPECT_EQ(convert("0.30000000000000004", "1"), "") << "17 digits";
    EXPECT_EQ(convert("1", "123456789.12345678"), "slow rate") << "17 digits";
}

TEST(convert_amount, what_is_no_short_numeric_is_left) {
    const daily_rate one = {1, 0, false, daily_rate::known};
    char written[most_amount_bytes];
    for (const unsigned header : {0xC000u, 0xD000u, 0xF000u, 0x0000u, 0x4000u}) { // NaN, infinities, long forms
        const std::uint16_t words[] = {static_cast<std::uint16_t>(header), 0, 1};
        EXPECT_EQ(convert_amount(reinterpret_cast<const char *>(words), header < 0x8000 ? 6 : 2, one, written), 0u);
    }
    EXPECT_EQ(convert_amount("", 0, one, written), 0u);
}

TEST(convert_amount, equals_the_reference_on_random_numbers) {
    std::mt19937_64 random(2);
    const auto digits = [&random](std::size_t count) {
        std::string text;
        for (; count > 0; count--)
            text += static_cast<char>('0' + (random() % 3 ? random() % 10 : random() % 2 * 9));
        return text;
    };
    const auto number = [&](std::size_t whole, std::size_t part) {
        std::string text = (random() % 4 ? "" : "-") + std::string("0") + digits(random() % whole);
        const std::string places = digits(random() % part);
        return places.empty() ? text : text + "." + places;
    };
    int slow = 0;
    for (int round = 0; round < 300000; round++) {
        const std::string amount = number(11, random() % 2 ? 3 : 7), rate = number(4, 9);
        const std::string ours = convert(amount, rate);
        if (ours.empty() || ours == "slow rate") {
            slow++;
            continue;
        }
        ASSERT_EQ(ours, numeric_bytes(reference::converted(amount, rate))) << amount << " * " << rate;
    }
    EXPECT_LT(slow, 300000 / 10);
}

TEST(daily_rates, say_what_the_table_says) {
    std::mt19937 random(9);
    const std::string_view countries[] = {"DE", "CH", "", "Z\u00c4\u00e4"},
                           currencies[] = {"EUR", "USD", "E", "longer than 7"};
    const std::int32_t days[] = {before_all, after_all, 0, 1, 7000, 7001, 7600, 7601, -40000, -1};
    for (int round = 0; round < 300; round++) {
        all_rates rates;
        for (std::size_t i = random() % 30; i > 0; i--)
            rates.add(countries[random() % 3], currencies[random() % 4], days[random() % (random() % 4 ? 8 : 10)],
                      random() % 9 ? maybe_text(numeric_bytes(std::to_string(random() % 1000))) : maybe_text());
        const daily_rates daily = rates.daily();
        for (const std::string_view country : countries)
            for (const std::string_view currency : currencies)
                for (const std::int32_t day : days)
                    for (std::int32_t asked :
                         {day == before_all ? day : day - 1, day, day == after_all ? day : day + 1}) {
                        const daily_rate ours = daily.find(country, currency, asked);
                        const rate *const found = rates.table().find(country, currency, asked);
                        if (ours.is == daily_rate::slow) {
                            ASSERT_TRUE(asked == after_all || currency.size() > 7 || asked < 0) << asked;
                            continue;
                        }
                        ASSERT_EQ(ours.is == daily_rate::known, found && found->value) << asked;
                        if (ours.is == daily_rate::known) {
                            std::uint64_t value = ours.units;
                            ASSERT_EQ(ours.scale, 0);
                            ASSERT_EQ(bytes_of(found->value), numeric_bytes(std::to_string(value)));
                        }
                    }
    }
}

TEST(daily_rates, none_at_all) {
    EXPECT_EQ(daily_rates().find("DE", "EUR", 0).is, daily_rate::none);
    all_rates nothing;
    EXPECT_EQ(nothing.daily().find("DE", "EUR", 0).is, daily_rate::none);
}

TEST(convert_currencies, row_by_row) {
    all_rates rates;
    rates.add("DE", "EUR", before_all, numeric_bytes("1"));
    rates.add("DE", "USD", 100, numeric_bytes("0.9"));
    rates.add("DE", "USD", 200, std::nullopt);
    rates.add("DE", "XAU", 100, std::string("\x00\xc0", 2));
    struct {
        maybe_text country, currency, amount;
        std::optional<std::int32_t> day;
        maybe_text expected;
        bool slow;
    } const rows[] = {{"DE", "EUR", numeric_bytes("100"), 5, numeric_bytes("100.00"), false},
                      {"DE", "USD", numeric_bytes("12345.67"), 150, numeric_bytes("11111.10"), false},
                      {"DE", "USD", numeric_bytes("1"), 99, std::nullopt, false},
                      {"DE", "USD", numeric_bytes("1"), 200, std::nullopt, false},
                      {"DE", "XXX", numeric_bytes("1"), 150, std::nullopt, false},
                      {"FR", "EUR", numeric_bytes("1"), 150, std::nullopt, false},
                      {"DE", "XAU", numeric_bytes("1"), 150, std::nullopt, true},
                      {"DE", "EUR", std::string("\x00\xc0", 2), 150, std::nullopt, true},
                      {"DE", "EUR", numeric_bytes("1"), after_all, std::nullopt, true},
                      {"DE", "EUR", numeric_bytes("1"), before_all, numeric_bytes("1.00"), false},
                      {std::nullopt, "EUR", numeric_bytes("1"), 1, std::nullopt, false},
                      {"DE", std::nullopt, numeric_bytes("1"), 1, std::nullopt, false},
                      {"DE", "EUR", std::nullopt, 1, std::nullopt, false},
                      {"DE", "EUR", numeric_bytes("1"), std::nullopt, std::nullopt, false}};
    std::vector<maybe_text> countries, currencies, amounts, expected;
    std::vector<std::optional<std::int32_t>> days;
    std::vector<std::uint32_t> expected_slow;
    for (const auto &row : rows) {
        if (row.slow)
            expected_slow.push_back(static_cast<std::uint32_t>(expected.size()));
        countries.push_back(row.country);
        currencies.push_back(row.currency);
        amounts.push_back(row.amount);
        days.push_back(row.day);
        expected.push_back(row.expected);
    }
    const columns::texts country(countries), currency(currencies), amount(amounts);
    const columns::values<std::int32_t> day(days);
    const columns::cells cells(expected.size(), amount_stride);
    std::vector<std::uint32_t> slow(expected.size());
    slow_rows left{slow.data()};
    convert_currencies({country.column(), currency.column(), amount.column(), day.column()}, expected.size(),
                       rates.daily(), cells.out(), left);
    slow.resize(left.count);
    EXPECT_EQ(cells.taken(), expected);
    EXPECT_EQ(slow, expected_slow);
}

} // namespace
