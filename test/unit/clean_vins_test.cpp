// C++ regime: may throw, never calls PostgreSQL
#include "columns.hpp"
#include "kernel/clean_vins.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

using columns::maybe_text;
using etl::kernel::instruction_set;

std::vector<maybe_text> clean(const std::vector<maybe_text> &rows, instruction_set set) {
    const columns::texts texts(rows);
    const columns::cells cells(rows.size(), etl::kernel::vin_stride);
    etl::kernel::clean_vins(texts.column(), rows.size(), cells.out(), set);
    return cells.taken();
}

std::vector<maybe_text> expected(const std::vector<maybe_text> &rows) {
    std::vector<maybe_text> vins;
    for (const maybe_text &row : rows)
        vins.push_back(row ? columns::null_if_empty(reference::clean_vin(*row)) : maybe_text());
    return vins;
}

class clean_vins : public testing::TestWithParam<instruction_set> {};
INSTANTIATE_TEST_SUITE_P(sets, clean_vins, testing::ValuesIn(columns::instruction_sets()),
                         [](const auto &test) { return etl::kernel::name(test.param); });

const std::string good = "WVWZZZ1JZ3W386752";

TEST_P(clean_vins, what_people_type) {
    const std::vector<maybe_text> rows = {good,
                                          "wvwzzz1jz3w386752",
                                          "WVW-ZZZ.1JZ/3W 386752",
                                          std::nullopt,
                                          "",
                                          "W",
                                          good.substr(1),
                                          good + "1",
                                          " " + good + "\n",
                                          "VIN: " + good,
                                          good + good,
                                          good + std::string(15, ' '),
                                          good + std::string(16, ' '),
                                          std::string(15, '-') + good,
                                          std::string(40, '-') + good,
                                          "\u00a0" + good,
                                          "\u0412" + good.substr(1),
                                          good.substr(0, 16) + "O",
                                          "q" + good.substr(1),
                                          good + "I",
                                          std::nullopt};
    EXPECT_EQ(clean(rows, GetParam()), expected(rows));
}

TEST_P(clean_vins, every_byte_at_every_place) {
    std::vector<maybe_text> rows;
    for (int byte = 0; byte < 256; byte++)
        for (std::size_t at = 0; at <= good.size(); at++) {
            rows.push_back(good.substr(0, at) + static_cast<char>(byte) + good.substr(at));
            rows.push_back(good.substr(0, at) + static_cast<char>(byte) + good.substr(std::min(at + 1, good.size())));
        }
    EXPECT_EQ(clean(rows, GetParam()), expected(rows));
}

TEST_P(clean_vins, nothing_in_nothing_out) {
    EXPECT_EQ(clean({}, GetParam()), std::vector<maybe_text>());
}

TEST_P(clean_vins, columns_without_nulls) {
    const columns::texts texts({good, "x"});
    const columns::cells cells(2, etl::kernel::vin_stride);
    etl::kernel::text_column column = texts.column();
    column.is_null = nullptr;
    etl::kernel::clean_vins(column, 2, cells.out(), GetParam());
    EXPECT_EQ(cells.taken(), (std::vector<maybe_text>{good, std::nullopt}));
}

TEST_P(clean_vins, equals_the_reference_on_random_texts) {
    std::mt19937 random(17);
    const std::string alphabet = "0123456789ABCDEFGHJKLMNPRSTUVWXYZabcxyz 0123456789WVZIoq-.\xc3\xa4\xe2\x82\xac";
    std::size_t found = 0;
    for (int batch = 0; batch < 500; batch++) {
        std::vector<maybe_text> rows(random() % 300);
        for (maybe_text &row : rows) {
            if (random() % 10 == 0)
                continue;
            row.emplace();
            for (std::size_t i = random() % 12 + (random() % 20 ? 12 : 28); i > 0; i--)
                *row += alphabet[random() % (random() % 2 ? alphabet.size() : 33)];
        }
        const std::vector<maybe_text> vins = expected(rows);
        for (const maybe_text &vin : vins)
            found += vin.has_value();
        ASSERT_EQ(clean(rows, GetParam()), vins);
    }
    EXPECT_GT(found, 1000u) << "the inputs are not worth much";
}

} // namespace
