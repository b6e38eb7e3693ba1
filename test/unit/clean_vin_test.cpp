// C++ regime: may throw, never calls PostgreSQL
#include "kernel/clean_vin.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

std::string clean(std::string_view text) {
    etl::kernel::vin_cleaner cleaner;
    cleaner.feed(text);
    return std::string(cleaner.result());
}

const std::string good = "WVWZZZ1JZ3W386752";

TEST(clean_vin, keeps_a_vin_and_raises_its_case) {
    EXPECT_EQ(clean(good), good);
    EXPECT_EQ(clean("wvwzzz1jz3w386752"), good);
    EXPECT_EQ(clean(" WVW-ZZZ.1JZ/3W 386752\t\n"), good);
}

TEST(clean_vin, refuses_other_lengths) {
    EXPECT_EQ(clean(""), "");
    EXPECT_EQ(clean("W"), "");
    EXPECT_EQ(clean(good.substr(1)), "");
    EXPECT_EQ(clean(good + "1"), "");
    EXPECT_EQ(clean(good + " - "), good);
    EXPECT_EQ(clean(good + good), "");
}

TEST(clean_vin, refuses_letters_that_look_like_digits) {
    for (const char c : {'I', 'O', 'Q', 'i', 'o', 'q'}) {
        for (std::size_t at = 0; at < good.size(); at++) {
            std::string bad = good;
            bad[at] = c;
            EXPECT_EQ(clean(bad), "") << bad;
        }
    }
}

TEST(clean_vin, drops_whatever_is_not_ascii) {
    for (const char *dropped :
         {"\u00a0", "\u200b", "\ufeff", "\u0430", "\u0412", "\uff21", "\uff11", "\u0130", "\u0131", "\u0308", "\u00c4",
          "\U0001f697", "\xff", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80"}) {
        EXPECT_EQ(clean(dropped + good), good);
        EXPECT_EQ(clean(good + dropped), good);
        EXPECT_EQ(clean(good.substr(0, 5) + dropped + good.substr(5)), good);
    }
    // A look-alike is no substitute: sixteen letters are left.
    EXPECT_EQ(clean("\u0412" + good.substr(1)), "");
}

TEST(clean_vin, every_byte_alone) {
    for (int byte = 0; byte < 256; byte++) {
        const std::string text = good.substr(0, 16) + static_cast<char>(byte);
        EXPECT_EQ(clean(text), reference::clean_vin(text)) << byte;
    }
}

TEST(clean_vin, pieces_do_not_matter) {
    const std::string text = "  wvw zzz \u00e4 1jz 3w3 86752 ";
    for (std::size_t cut = 0; cut <= text.size(); cut++) {
        etl::kernel::vin_cleaner cleaner;
        EXPECT_TRUE(cleaner.feed(std::string_view(text).substr(0, cut)));
        EXPECT_TRUE(cleaner.feed(std::string_view(text).substr(cut)));
        EXPECT_EQ(cleaner.result(), good);
    }
}

TEST(clean_vin, says_when_no_more_can_help) {
    etl::kernel::vin_cleaner cleaner;
    EXPECT_TRUE(cleaner.feed(good));
    EXPECT_FALSE(cleaner.feed("1"));
    EXPECT_FALSE(cleaner.feed("1"));
    EXPECT_EQ(cleaner.result(), "");
    etl::kernel::vin_cleaner refused;
    EXPECT_FALSE(refused.feed("O"));
    refused.feed(good);
    EXPECT_EQ(refused.result(), "");
}

TEST(clean_vin, equals_the_reference_on_random_texts) {
    std::mt19937 random(17);
    const std::string alphabet = "0123456789ABCDEFGHJKLMNPRSTUVWXYZabcxyz 0123456789WVZIoq-.\xc3\xa4\xe2\x82\xac";
    int found = 0;
    for (int round = 0; round < 200000; round++) {
        std::string text;
        for (std::size_t i = random() % 12 + 12; i > 0; i--)
            text += alphabet[random() % (random() % 2 ? alphabet.size() : 33)];
        const std::string expected = reference::clean_vin(text);
        found += !expected.empty();
        ASSERT_EQ(clean(text), expected) << text;
    }
    EXPECT_GT(found, 1000) << "the inputs are not worth much";
}

} // namespace
