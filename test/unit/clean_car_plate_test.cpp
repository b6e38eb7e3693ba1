// C++ regime: may throw, never calls PostgreSQL
#include "kernel/clean_car_plate.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

using etl::kernel::plate_alphabet;

const plate_alphabet utf8 = etl::kernel::utf8_plate_alphabet();
const plate_alphabet bytes = etl::kernel::byte_plate_alphabet();

std::string clean(std::string_view text, const plate_alphabet &alphabet = utf8) {
    etl::kernel::plate_cleaner cleaner(alphabet);
    cleaner.feed(text, 0, text.size());
    return std::string(cleaner.result());
}

plate_alphabet latin1() {
    plate_alphabet alphabet;
    for (const char *upper : {"\xc4", "\xd6", "\xdc"}) {
        const char lower[] = {static_cast<char>(upper[0] + 0x20)};
        alphabet.add(upper, upper);
        alphabet.add({lower, 1}, upper);
    }
    return alphabet;
}

TEST(clean_car_plate, keeps_letters_digits_and_umlauts) {
    EXPECT_EQ(clean("WOB-VW 1234"), "WOBVW1234");
    EXPECT_EQ(clean("m\u00fc - \u00e4\u00f6 1"), "M\u00dc\u00c4\u00d61");
    EXPECT_EQ(clean("L\u00d6 AB 12"), "L\u00d6AB12");
    EXPECT_EQ(clean("123"), "123");
    EXPECT_EQ(clean("ab"), "AB");
}

TEST(clean_car_plate, counts_characters_not_bytes) {
    EXPECT_EQ(clean("a"), "");
    EXPECT_EQ(clean("\u00e4"), "");
    EXPECT_EQ(clean("\u00e4\u00e4"), "\u00c4\u00c4");
    std::string twelve;
    for (int i = 0; i < 12; i++)
        twelve += "\u00fc";
    EXPECT_EQ(clean(twelve).size(), 24u);
    EXPECT_EQ(clean(twelve + "1"), "");
    EXPECT_EQ(clean(twelve + "\u00df"), clean(twelve));
    EXPECT_EQ(clean("ABCDEF123456"), "ABCDEF123456");
    EXPECT_EQ(clean("ABCDEF1234567"), "");
}

TEST(clean_car_plate, drops_whatever_else) {
    for (const char *dropped : {"\u00df", "\u1e9e", "\u00e5", "\u0308", "\u0131", "\u0410", "\uff21", "\u202e",
                                "\U0001f697", "\u00a0", "\t", "\r\n", "\x7f", "\xff"})
        EXPECT_EQ(clean(std::string("A") + dropped + "1"), "A1");
    // Decomposed: the letter stays, its dots go.
    EXPECT_EQ(clean("a\u0308u\u0308"), "AU");
}

TEST(clean_car_plate, never_reads_past_the_end) {
    for (const char *cut : {"\xc3", "\xe2", "\xe2\x82", "\xf0\x9f\x9a", "\xc0"}) {
        const std::string text = std::string("AB") + cut;
        std::vector<char> exact(text.begin(), text.end()); // the sanitizer watches its end
        EXPECT_EQ(clean({exact.data(), exact.size()}), "AB");
    }
}

TEST(clean_car_plate, single_byte_encodings) {
    EXPECT_EQ(clean("m\xfc \xc4\xf6 1", latin1()), "M\xdc\xc4\xd6"
                                                   "1");
    EXPECT_EQ(clean("a\xdf\xe5 1", latin1()), "A1");
    EXPECT_EQ(clean("m\xfc \xc4\xf6 1", plate_alphabet()), "M1");
}

TEST(clean_car_plate, bytes_of_umlauts_where_bytes_are_characters) {
    EXPECT_EQ(clean("\u00e4", bytes), "\u00c4") << "two bytes are two characters";
    EXPECT_EQ(clean("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc", bytes), "\u00c4\u00d6\u00dc\u00c4\u00d6\u00dc");
    EXPECT_EQ(clean("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc1", bytes), "");
    EXPECT_EQ(clean("\xc3\xb6\xb6", bytes), "\xc3\x96\x96");
    EXPECT_EQ(clean("\u00df1", bytes), "\xc3"
                                       "1")
        << "no byte of a sharp s but the first belongs to an umlaut; 9f is not 9c";
}

TEST(clean_car_plate, two_byte_letters_are_not_found_across_characters) {
    // An encoding of two-byte characters with a letter a8 b9, as EUC_CN has it.
    plate_alphabet alphabet;
    for (int lead = 0xa1; lead < 0xff; lead++)
        alphabet.size_by_lead[lead] = 2;
    alphabet.add("\xa8\xb9", "\xa8\xb9");
    EXPECT_EQ(clean("a\xa8\xb9", alphabet), "A\xa8\xb9");
    EXPECT_EQ(clean("ab\xb0\xa8\xb9\xa1", alphabet), "AB");
}

TEST(clean_car_plate, every_byte_alone) {
    for (int byte = 0; byte < 256; byte++) {
        const std::string text = std::string("AB") + static_cast<char>(byte);
        EXPECT_EQ(clean(text), reference::clean_car_plate(reference::utf8_characters(text), reference::utf8_umlauts));
        EXPECT_EQ(clean(text, bytes),
                  reference::clean_car_plate(reference::byte_characters(text), reference::byte_umlauts));
    }
}

TEST(clean_car_plate, pieces_do_not_matter) {
    const std::string text = "m\u00fc \U0001f697 - \u00e4\u00f6 12";
    for (std::size_t cut = 0; cut <= text.size(); cut++) {
        etl::kernel::plate_cleaner cleaner(utf8);
        const std::size_t next = cleaner.feed(text, 0, cut);
        EXPECT_GE(next, cut);
        EXPECT_EQ(cleaner.feed(text, next, text.size()), text.size());
        EXPECT_EQ(cleaner.result(), "M\u00dc\u00c4\u00d612");
    }
}

TEST(clean_car_plate, equals_the_reference_on_random_texts) {
    std::mt19937 random(12);
    const std::vector<std::string> alphabet = {"A", "z", "0",      "9",      " ",      "-",      "\u00e4",     "\u00d6",
                                               "u", "M", "\u00fc", "\u00df", "\u0308", "\u0430", "\U0001f697", "\xc3"};
    for (int round = 0; round < 200000; round++) {
        std::string text;
        for (std::size_t i = random() % 18; i > 0; i--)
            text += alphabet[random() % alphabet.size()];
        ASSERT_EQ(clean(text), reference::clean_car_plate(reference::utf8_characters(text), reference::utf8_umlauts))
            << text;
        ASSERT_EQ(clean(text, bytes),
                  reference::clean_car_plate(reference::byte_characters(text), reference::byte_umlauts))
            << text;
    }
}

} // namespace
