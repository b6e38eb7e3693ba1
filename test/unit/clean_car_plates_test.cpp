// C++ regime: may throw, never calls PostgreSQL
#include "columns.hpp"
#include "kernel/clean_car_plates.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

using columns::maybe_text;
using etl::kernel::instruction_set;
using etl::kernel::plate_alphabet;

std::vector<maybe_text> clean(const std::vector<maybe_text> &rows, const plate_alphabet &alphabet,
                              instruction_set set) {
    const columns::texts texts(rows);
    const columns::cells cells(rows.size(), etl::kernel::plate_stride);
    etl::kernel::clean_car_plates(texts.column(), rows.size(), alphabet, cells.out(), set);
    return cells.taken();
}

std::vector<maybe_text> expected(const std::vector<maybe_text> &rows, bool utf8) {
    std::vector<maybe_text> plates;
    for (const maybe_text &row : rows)
        plates.push_back(!row ? maybe_text()
                              : columns::null_if_empty(reference::clean_car_plate(
                                    utf8 ? reference::utf8_characters(*row) : reference::byte_characters(*row),
                                    utf8 ? reference::utf8_umlauts : reference::byte_umlauts)));
    return plates;
}

class clean_car_plates : public testing::TestWithParam<instruction_set> {

protected:
    const plate_alphabet utf8_ = etl::kernel::utf8_plate_alphabet();
    const plate_alphabet bytes_ = etl::kernel::byte_plate_alphabet();

    void check(const std::vector<maybe_text> &rows) {
        ASSERT_EQ(clean(rows, utf8_, GetParam()), expected(rows, true));
        ASSERT_EQ(clean(rows, bytes_, GetParam()), expected(rows, false));
    }
};
INSTANTIATE_TEST_SUITE_P(sets, clean_car_plates, testing::ValuesIn(columns::instruction_sets()),
                         [](const auto &test) { return etl::kernel::name(test.param); });

TEST_P(clean_car_plates, what_people_type) {
    std::string twelve, thirteen;
    for (int i = 0; i < 13; i++) {
        twelve = thirteen;
        thirteen += "\u00fc";
    }
    check({"WOB-VW 1234",
           std::nullopt,
           "m\u00fc - \u00e4\u00f6 1",
           "",
           "a",
           "ab",
           "\u00e4",
           "\u00e4\u00e4",
           twelve,
           thirteen,
           twelve + "1",
           twelve + "\u00df",
           "ABCDEF123456",
           "ABCDEF1234567",
           "A\u00df1",
           "A\u1e9e1",
           "A\U0001f6971",
           "a\u0308u\u0308",
           "AB\xc3",
           "AB\xe2\x82",
           "AB\xc3\xc3\x84",
           "\xc3\xc3\xc3\xc3",
           "A\xc3"
           "1",
           std::string(31, ' ') + "\u00fcA",
           std::string(30, ' ') + "\u00fc",
           std::string(40, '-') + "AB"});
}

TEST_P(clean_car_plates, every_pair_of_bytes) {
    for (int first = 0; first < 256; first++) {
        std::vector<maybe_text> rows;
        for (int second = 0; second < 256; second++) {
            rows.push_back(std::string("AB") + static_cast<char>(first) + static_cast<char>(second));
            rows.push_back(std::string({static_cast<char>(first), static_cast<char>(second)}) + "-1");
        }
        check(rows);
    }
}

TEST_P(clean_car_plates, single_byte_encodings) {
    plate_alphabet latin1;
    latin1.add("\xdc", "\xdc");
    latin1.add("\xfc", "\xdc");
    EXPECT_EQ(clean({"m\xfc - a 1", "ma - 1",
                     "\xc3\x9c"
                     "1"},
                    latin1, GetParam()),
              (std::vector<maybe_text>{"M\xdc"
                                       "A1",
                                       "MA1", std::nullopt}));
}

TEST_P(clean_car_plates, equals_the_reference_on_random_texts) {
    std::mt19937 random(12);
    const std::vector<std::string> alphabet = {"A", "z", "0",      "9",      " ",      "-",      "\u00e4",     "\u00d6",
                                               "u", "M", "\u00fc", "\u00df", "\u0308", "\u0430", "\U0001f697", "\xc3"};
    for (int batch = 0; batch < 500; batch++) {
        std::vector<maybe_text> rows(random() % 300);
        const std::size_t letters = random() % 2 ? alphabet.size() : 11;
        for (maybe_text &row : rows) {
            if (random() % 10 == 0)
                continue;
            row.emplace();
            for (std::size_t i = random() % (random() % 20 ? 18 : 40); i > 0; i--)
                *row += alphabet[random() % letters];
        }
        check(rows);
    }
}

} // namespace
