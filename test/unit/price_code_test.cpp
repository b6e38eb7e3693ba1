// C++ regime: may throw, never calls PostgreSQL
#include "kernel/price_code.hpp"
#include "kernel/short_price.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using namespace etl::kernel;

constexpr price_format cents{2, false};

// A numeric from its parts, in the short form or the long one.
std::vector<unsigned char> stored(bool negative, unsigned scale, int weight, std::vector<unsigned> digits,
                                  bool is_long = false) {
    std::vector<unsigned char> bytes;
    auto put = [&bytes](unsigned value) {
        const std::uint16_t half = static_cast<std::uint16_t>(value);
        bytes.push_back(static_cast<unsigned char>(half & 0xff));
        bytes.push_back(static_cast<unsigned char>(half >> 8));
    };
    if (is_long) {
        put((negative ? 0x4000u : 0u) | scale);
        put(static_cast<unsigned>(weight));
    } else {
        put(0x8000u | (negative ? 0x2000u : 0u) | scale << 7 | (static_cast<unsigned>(weight) & 0x7fu));
    }
    for (const unsigned digit : digits)
        put(digit);
    return bytes;
}

std::int64_t code(const std::vector<unsigned char> &bytes, price_format format) {
    return price_code(bytes.data(), bytes.size(), format);
}

std::vector<unsigned char> image(std::int64_t of, price_format format) {
    unsigned char bytes[most_price_bytes];
    return {bytes, bytes + price_of_code(of, format, bytes)};
}

TEST(price_code, of_a_fixed_scale) {
    EXPECT_EQ(code(stored(false, 2, 0, {}), cents), 0);
    EXPECT_EQ(code(stored(false, 2, 0, {1}), cents), 100);
    EXPECT_EQ(code(stored(false, 2, -1, {5000}), cents), 50);
    EXPECT_EQ(code(stored(false, 2, -1, {100}), cents), 1);
    EXPECT_EQ(code(stored(false, 2, 0, {1234, 5600}), cents), 123456);
    EXPECT_EQ(code(stored(true, 2, 1, {12, 3456, 700}), cents), -12345607);
    EXPECT_EQ(code(stored(false, 2, 1, {3}), cents), 3000000);
    EXPECT_EQ(code(stored(false, 2, 3, {9999, 9999, 9999, 9999}), cents), 999999999999999900);
    EXPECT_EQ(code(stored(false, 2, 3, {9999, 9999, 9999, 9999, 9900}), cents), 999999999999999999);
    EXPECT_EQ(code(stored(false, 2, 0, {1234, 5600}, true), cents), 123456);
    EXPECT_EQ(code(stored(true, 2, 0, {1234, 5600}, true), cents), -123456);
}

TEST(price_code, none_for_what_does_not_fit) {
    EXPECT_EQ(code(stored(false, 1, 0, {1}), cents), no_code) << "another display scale";
    EXPECT_EQ(code(stored(false, 2, 4, {1}), cents), no_code) << "10^18";
    EXPECT_EQ(code(stored(false, 2, 60, {1}), cents), no_code);
    EXPECT_EQ(code(stored(false, 2, -1, {1}), cents), no_code) << "places beyond the scale";
    EXPECT_EQ(code(stored(false, 2, -60, {1}), cents), no_code);
    EXPECT_EQ(code(stored(false, 2, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}), cents), no_code);
    EXPECT_EQ(code(stored(false, 7, -2, {10}), open_format), no_code) << "seven places";
    EXPECT_EQ(code({}, cents), no_code);
    EXPECT_EQ(code({0, 0}, cents), no_code) << "a long form without weight";
}

TEST(price_code, special_values_at_the_ends) {
    const std::vector<unsigned char> nan{0x00, 0xC0}, infinity{0x00, 0xD0}, minus{0x00, 0xF0};
    for (const price_format format : {cents, open_format}) {
        EXPECT_EQ(code(nan, format), nan_code);
        EXPECT_EQ(code(infinity, format), infinity_code);
        EXPECT_EQ(code(minus, format), minus_infinity_code);
        EXPECT_EQ(image(nan_code, format), nan);
        EXPECT_EQ(image(infinity_code, format), infinity);
        EXPECT_EQ(image(minus_infinity_code, format), minus);
    }
    EXPECT_GT(nan_code, infinity_code);
    EXPECT_GT(infinity_code, code(stored(false, 2, 3, {9999, 9999, 9999, 9999}), cents));
    EXPECT_LT(minus_infinity_code, code(stored(true, 2, 3, {9999, 9999, 9999, 9999}), cents));
}

TEST(price_code, order_of_an_open_scale) {
    const std::int64_t one_and_a_half = code(stored(false, 1, 0, {1, 5000}), open_format);
    const std::int64_t with_a_zero = code(stored(false, 2, 0, {1, 5000}), open_format);
    const std::int64_t more = code(stored(false, 6, 0, {1, 5000, 100}), open_format);
    EXPECT_LT(one_and_a_half, with_a_zero);
    EXPECT_LT(with_a_zero, more);
    const std::int64_t negative = code(stored(true, 1, 0, {1, 5000}), open_format);
    const std::int64_t negative_with_a_zero = code(stored(true, 2, 0, {1, 5000}), open_format);
    EXPECT_LT(negative, negative_with_a_zero);
    EXPECT_LT(negative_with_a_zero, code(stored(false, 0, 0, {}), open_format));
    EXPECT_LT(code(stored(false, 0, 0, {}), open_format), code(stored(false, 3, 0, {}), open_format));
}

TEST(price_code, images_are_those_of_the_server) {
    EXPECT_EQ(image(0, cents), stored(false, 2, 0, {}));
    EXPECT_EQ(image(100, cents), stored(false, 2, 0, {1}));
    EXPECT_EQ(image(1, cents), stored(false, 2, -1, {100}));
    EXPECT_EQ(image(-123456, cents), stored(true, 2, 0, {1234, 5600}));
    EXPECT_EQ(image(3000000, cents), stored(false, 2, 1, {3}));
    EXPECT_EQ(image(999999999999999999, cents), stored(false, 2, 3, {9999, 9999, 9999, 9999, 9900}));
    EXPECT_EQ(image(1, {15, false}), stored(false, 15, -4, {10}));
    EXPECT_EQ(image(700000, {0, false}), stored(false, 0, 1, {70}));
}

TEST(price_code, back_and_forth) {
    std::mt19937_64 random(7);
    for (int scale = 0; scale <= most_scale; scale++)
        for (int i = 0; i < 20000; i++) {
            std::int64_t units = static_cast<std::int64_t>(random() % 1000000000000000000);
            for (std::uint64_t cut = random() % 18; cut > 0; cut--)
                units /= 10;
            for (std::uint64_t zeros = random() % 4; zeros > 0 && units < 100000000000000000; zeros--)
                units *= 10;
            units = random() % 2 ? units : -units;
            const price_format format{scale, false};
            const std::vector<unsigned char> bytes = image(units, format);
            ASSERT_EQ(code(bytes, format), units) << scale;
            const std::size_t digits = bytes.size() / 2 - 1;
            if (digits > 0) {
                EXPECT_NE(bytes[2] | bytes[3], 0) << "a leading zero";
                EXPECT_NE(bytes[bytes.size() - 2] | bytes[bytes.size() - 1], 0) << "a trailing zero";
            }
        }
    for (int i = 0; i < 100000; i++) {
        const int places = static_cast<int>(random() % 7);
        std::int64_t units = static_cast<std::int64_t>(random() % 1000000000000);
        for (int j = places; j < 6; j++)
            units *= 10;
        units = random() % 2 ? units : -units;
        const std::int64_t of = units * 8 + places;
        ASSERT_EQ(code(image(of, open_format), open_format), of);
    }
}

TEST(short_price_reader, agrees_with_price_code) {
    std::mt19937_64 random(5);
    auto below = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    for (const price_format format : {cents, open_format, price_format{0, false}, price_format{4, false},
                                      price_format{5, false}, price_format{6, false}, price_format{15, false}}) {
        const short_price_reader read(format);
        int seen = 0;
        for (int i = 0; i < 200000; i++) {
            std::vector<unsigned> digits(below(7));
            for (unsigned &digit : digits)
                digit = below(4) ? below(100) * 100 : below(2) ? below(10000) : 9999;
            const unsigned scale = below(8) ? static_cast<unsigned>(format.scale) : below(64);
            const std::vector<unsigned char> number =
                stored(below(3) == 0, scale, static_cast<int>(below(9)) - 4, digits, below(20) == 0);
            // What lies around it does not count.
            std::vector<unsigned char> row(8 + number.size() + 8);
            for (unsigned char &byte : row)
                byte = static_cast<unsigned char>(random());
            std::copy(number.begin(), number.end(), row.begin() + 8);
            const std::int64_t expected = code(number, format);
            seen += expected != no_code;
            ASSERT_EQ(read(row.data() + 8, number.size()), expected) << "scale " << format.scale << ", number " << i;
        }
        EXPECT_GT(seen, 1000);
        for (const unsigned header : {0xC000u, 0xD000u, 0xF000u}) {
            const unsigned char row[] = {1, 2, 3, 4, 5, 6, 7, 8, 0, static_cast<unsigned char>(header >> 8)};
            ASSERT_EQ(read(row + 8, 2), price_code(row + 8, 2, format));
        }
    }
}

} // namespace
