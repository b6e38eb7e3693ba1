// C++ regime: may throw, never calls PostgreSQL
#include "plan/ranges.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

namespace {

using etl::plan::cut_mart;
using etl::plan::cut_range;
using etl::plan::cut_rows;
using etl::plan::merge_frequent;
using etl::plan::sketch;

using lids = std::vector<std::int64_t>;

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

// What percentile_disc gives of all rows.
sketch sketch_of(lids rows, std::size_t count = 200) {
    sketch made;
    made.rows = static_cast<double>(rows.size());
    if (rows.empty())
        return made;
    std::sort(rows.begin(), rows.end());
    for (std::size_t i = 0; i <= count; i++) {
        const double place = std::ceil(made.rows * static_cast<double>(i) / static_cast<double>(count));
        made.bounds.push_back(rows[static_cast<std::size_t>(std::max(place, 1.0)) - 1]);
    }
    return made;
}

// Open at both ends, each range begins where the one before ended, none is empty: so none overlap and all is covered.
void expect_tiling(const std::vector<cut_range> &ranges) {
    ASSERT_FALSE(ranges.empty());
    EXPECT_FALSE(ranges.front().from.has_value());
    EXPECT_FALSE(ranges.back().to.has_value());
    for (std::size_t i = 0; i + 1 < ranges.size(); i++) {
        ASSERT_TRUE(ranges[i].to.has_value());
        ASSERT_EQ(ranges[i].to, ranges[i + 1].from);
        if (ranges[i].from)
            ASSERT_LT(*ranges[i].from, *ranges[i].to);
        else
            ASSERT_GT(*ranges[i].to, least); // nothing is below the smallest bigint
    }
    for (const cut_range &range : ranges)
        EXPECT_GE(range.rows, -1e-6);
}

std::vector<double> rows_in(const std::vector<cut_range> &ranges, const lids &rows) {
    std::vector<double> counts(ranges.size());
    for (const std::int64_t lid : rows)
        for (std::size_t i = 0; i < ranges.size(); i++)
            if ((!ranges[i].from || lid >= *ranges[i].from) && (!ranges[i].to || lid < *ranges[i].to))
                counts[i]++;
    return counts;
}

// Every row is in one range, and no range has more than `slack` times its share.
void expect_balance(const std::vector<cut_range> &ranges, const lids &rows, double slack) {
    expect_tiling(ranges);
    double all = 0;
    const std::vector<double> counts = rows_in(ranges, rows);
    for (const double count : counts)
        all += count;
    EXPECT_EQ(all, static_cast<double>(rows.size()));
    for (const double count : counts)
        EXPECT_LE(count, slack * static_cast<double>(rows.size()) / static_cast<double>(ranges.size()));
}

lids every(std::int64_t from, std::int64_t count, std::int64_t step) {
    lids made;
    for (std::int64_t i = 0; i < count; i++)
        made.push_back(from + i * step);
    return made;
}

lids some(const lids &of, double share, unsigned seed) {
    std::mt19937_64 chance(seed);
    std::bernoulli_distribution taken(share);
    lids made;
    for (const std::int64_t lid : of)
        if (taken(chance))
            made.push_back(lid);
    return made;
}

lids joined(lids first, const lids &second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

TEST(ranges, nothing_is_one_open_range) {
    for (const auto &ranges : {cut_rows({}, 100), cut_mart({}, {}, {}, 100), cut_mart({}, sketch_of({1, 2}), {}, 1),
                               cut_mart(sketch_of({1, 2}), {}, {sketch_of({5})}, 1)}) {
        expect_tiling(ranges);
        EXPECT_EQ(ranges.size(), 1U);
        EXPECT_EQ(ranges[0].rows, 0);
    }
}

TEST(ranges, single_row) {
    for (const std::int64_t lid : {std::int64_t{0}, std::int64_t{-7}, least, greatest}) {
        expect_balance(cut_rows(sketch_of({lid}), 1), {lid}, 1);
        EXPECT_EQ(cut_rows(sketch_of({lid}), 1).size(), 1U);
        expect_tiling(cut_mart(sketch_of({lid}), sketch_of({lid}), {}, 1));
    }
}

TEST(ranges, even_rows) {
    const lids rows = every(1000, 30000, 3);
    const auto ranges = cut_rows(sketch_of(rows), 1000);
    EXPECT_EQ(ranges.size(), 30U);
    expect_balance(ranges, rows, 1.02);
    for (const cut_range &range : ranges)
        EXPECT_LE(range.rows, 1001);
}

TEST(ranges, one_row_each) {
    const lids rows = every(-50, 100, 1);
    const auto ranges = cut_rows(sketch_of(rows, 100), 1);
    EXPECT_NEAR(static_cast<double>(ranges.size()), 100, 1);
    expect_balance(ranges, rows, 3);
}

TEST(ranges, gaps_and_skew) {
    // 90 % of the rows in a millionth of the lids, the rest far apart, on both sides of zero.
    const lids rows =
        joined(joined(every(-5000000000, 500, 7000001), every(0, 9000, 1)), every(1000000000, 500, 9000011));
    expect_balance(cut_rows(sketch_of(rows), 500), rows, 1.15);
}

TEST(ranges, extreme_lids) {
    const lids rows = joined(joined(every(least, 1000, 1), every(-500, 1000, 1)), every(greatest - 999, 1000, 1));
    const auto ranges = cut_rows(sketch_of(rows), 300);
    EXPECT_EQ(ranges.size(), 10U);
    expect_balance(ranges, rows, 1.2);
    expect_tiling(cut_rows(sketch_of({least, greatest}), 1));
    expect_tiling(cut_mart(sketch_of({least, greatest}), sketch_of({least, 0, greatest}), {sketch_of({greatest})}, 1));
}

TEST(ranges, duplicates) {
    // One lid has half of all rows: it can't be cut, and the others still are.
    const lids rows = joined(lids(5000, 42), every(100, 5000, 1));
    const auto ranges = cut_rows(sketch_of(rows), 500);
    expect_tiling(ranges);
    const std::vector<double> counts = rows_in(ranges, rows);
    EXPECT_LE(std::count_if(counts.begin(), counts.end(), [](double count) { return count > 600; }), 1);
    EXPECT_GE(ranges.size(), 10U);
    EXPECT_EQ(cut_rows(sketch_of(lids(1000, greatest)), 10).size(), 1U);
    EXPECT_EQ(cut_rows(sketch_of(lids(1000, least)), 1000000).size(), 1U);
    expect_tiling(cut_rows(sketch_of(lids(1000, least)), 10));
}

TEST(ranges, interleaved_portals) {
    const lids own = every(0, 60000, 3), other = every(1, 30000, 3), third = every(2, 60000, 3);
    const lids all = joined(joined(own, other), third);
    // The mapping knows a third of what there is, a portal's rows no more often than another's.
    const lids mapping = some(all, 0.3, 1);
    lids mart = own;
    std::sort(mart.begin(), mart.end());
    const std::set<std::int64_t> mapped(mapping.begin(), mapping.end());
    mart.erase(std::remove_if(mart.begin(), mart.end(), [&](std::int64_t lid) { return !mapped.count(lid); }),
               mart.end());
    const auto ranges = cut_mart(sketch_of(own), sketch_of(mapping), {sketch_of(other), sketch_of(third)}, 2000);
    expect_balance(ranges, mart, 1.1);
    EXPECT_NEAR(static_cast<double>(ranges.size()), static_cast<double>(mart.size()) / 2000, 2);
}

TEST(ranges, portals_in_ranges_of_their_own) {
    const lids own = every(1000000, 50000, 1), other = every(0, 200000, 1);
    const lids mart = some(own, 0.1, 2), mapping = joined(mart, some(other, 0.5, 3));
    const auto ranges = cut_mart(sketch_of(own), sketch_of(mapping), {sketch_of(other)}, 500);
    expect_balance(ranges, mart, 1.5);
    EXPECT_NEAR(static_cast<double>(ranges.size()), static_cast<double>(mart.size()) / 500, 2);
}

TEST(ranges, mapping_thick_in_one_place) {
    const lids own = every(0, 100000, 1);
    const lids mapping = joined(some(every(0, 90000, 1), 0.02, 4), some(every(90000, 10000, 1), 0.9, 5));
    expect_balance(cut_mart(sketch_of(own), sketch_of(mapping), {}, 500), mapping, 1.5);
}

TEST(ranges, never_more_than_the_limit) {
    const auto ranges = cut_rows(sketch_of(every(0, 100000, 1)), 1, 1000);
    expect_tiling(ranges);
    EXPECT_EQ(ranges.size(), 1000U);
    sketch huge = sketch_of(every(0, 1000000, 1));
    huge.rows = 1e15;
    EXPECT_LE(cut_rows(huge, 1).size(), etl::plan::most_ranges);
}

TEST(ranges, frequent_lids) {
    sketch histogram = sketch_of(every(0, 1000, 1), 100);
    histogram.rows = 1000;
    const sketch merged = merge_frequent(histogram, {500, -10}, {1000, 500}, 201);
    EXPECT_EQ(merged.bounds.size(), 201U);
    EXPECT_EQ(merged.rows, 2500);
    EXPECT_TRUE(std::is_sorted(merged.bounds.begin(), merged.bounds.end()));
    EXPECT_NEAR(static_cast<double>(std::count(merged.bounds.begin(), merged.bounds.end(), 500)), 80, 5);
    EXPECT_NEAR(static_cast<double>(std::count(merged.bounds.begin(), merged.bounds.end(), -10)), 40, 5);
    EXPECT_EQ(merge_frequent({}, {7}, {10}, 5).bounds, lids(5, 7));
    EXPECT_TRUE(merge_frequent({}, {}, {}, 5).bounds.empty());
    expect_tiling(cut_rows(merge_frequent({}, {greatest, least}, {10, 10}, 11), 1));
}

TEST(ranges, any_sketches) {
    std::mt19937_64 chance(7);
    for (int round = 0; round < 2000; round++) {
        auto random_sketch = [&] {
            lids rows;
            const std::uint64_t shape = chance();
            for (std::uint64_t i = chance() % 40; i > 0; i--) {
                auto lid = static_cast<std::int64_t>(chance());
                if (shape % 3 == 0)
                    lid %= 10;
                else if (shape % 3 == 1)
                    lid = greatest - (lid & 7);
                rows.push_back(lid);
            }
            sketch made = sketch_of(rows, 1 + chance() % 20);
            made.rows *= static_cast<double>(1 + chance() % 1000);
            return made;
        };
        const sketch own = random_sketch(), mapping = random_sketch();
        const double each = static_cast<double>(1 + chance() % 100);
        expect_tiling(cut_rows(own, each, 500));
        expect_tiling(cut_mart(own, mapping, {random_sketch(), random_sketch()}, each, 500));
    }
}

} // namespace
