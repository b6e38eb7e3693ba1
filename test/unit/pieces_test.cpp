// C++ regime: may throw, never calls PostgreSQL
#include "plan/pieces.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

namespace {

using etl::plan::cut_range;
using etl::plan::cut_rows;
using etl::plan::divisible_range;
using etl::plan::gather_pieces;
using etl::plan::pieces_to_take;
using etl::plan::rows_to_take;
using etl::plan::sketch;

std::vector<cut_range> even_pieces(std::int64_t count) {
    std::vector<std::int64_t> bounds;
    for (std::int64_t i = 0; i <= count; i++)
        bounds.push_back(i * 100);
    return cut_rows({bounds, static_cast<double>(count) * 10}, 10);
}

TEST(pieces, gathered_ranges_tile_as_the_pieces_do) {
    for (const std::int64_t count : {1, 2, 7, 64, 1000}) {
        const std::vector<cut_range> pieces = even_pieces(count);
        for (const std::size_t wanted : {0, 1, 2, 3, 7, 64, 5000}) {
            const std::vector<divisible_range> ranges = gather_pieces(pieces, wanted);
            ASSERT_EQ(ranges.size(), std::clamp<std::size_t>(wanted, 1, pieces.size()));
            EXPECT_FALSE(ranges.front().whole.from.has_value());
            EXPECT_FALSE(ranges.back().whole.to.has_value());
            std::size_t taken = 0, least = pieces.size(), most = 0;
            double rows = 0;
            for (std::size_t i = 0; i < ranges.size(); i++) {
                const divisible_range &range = ranges[i];
                if (i > 0) {
                    EXPECT_EQ(range.whole.from, ranges[i - 1].whole.to);
                }
                EXPECT_TRUE(std::is_sorted(range.cuts.begin(), range.cuts.end()));
                // Strictly inside: what is cut there has no empty part.
                for (const std::int64_t cut : range.cuts) {
                    EXPECT_TRUE(!range.whole.from || *range.whole.from < cut);
                    EXPECT_TRUE(!range.whole.to || cut < *range.whole.to);
                }
                EXPECT_EQ(std::adjacent_find(range.cuts.begin(), range.cuts.end()), range.cuts.end());
                taken += range.cuts.size() + 1;
                least = std::min(least, range.cuts.size() + 1);
                most = std::max(most, range.cuts.size() + 1);
                rows += range.whole.rows;
            }
            EXPECT_EQ(taken, pieces.size());
            EXPECT_LE(most - least, 1U);
            EXPECT_NEAR(rows, static_cast<double>(count) * 10, 1e-6);
        }
    }
    EXPECT_TRUE(gather_pieces({}, 3).empty());
}

TEST(pieces, small_until_something_is_known) {
    EXPECT_EQ(rows_to_take({0, 0, 1e9, 4, 5}), etl::plan::careful_pace * 0.5);
    EXPECT_EQ(rows_to_take({0, 1, 1e9, 4, 5}), etl::plan::careful_pace * 0.5); // estimated at nothing
    EXPECT_EQ(rows_to_take({10, 0, 1e9, 4, 5}), etl::plan::careful_pace * 0.5);
    EXPECT_EQ(rows_to_take({0, 0, 800, 4, 5}), 100);
}

TEST(pieces, the_target_while_much_waits) {
    EXPECT_DOUBLE_EQ(rows_to_take({1000, 0.1, 1e9, 4, 5}), 50000);
    EXPECT_DOUBLE_EQ(rows_to_take({1000, 10, 1e9, 4, 5}), 500);
}

TEST(pieces, half_a_share_towards_the_end) {
    // 40 s of work for 4 workers, then 4 s, then next to nothing.
    EXPECT_DOUBLE_EQ(rows_to_take({1000, 1, 40000, 4, 5}), 5000);
    EXPECT_DOUBLE_EQ(rows_to_take({1000, 1, 4000, 4, 5}), 500);
    EXPECT_DOUBLE_EQ(rows_to_take({1000, 1, 10, 4, 5}), 200);
    EXPECT_DOUBLE_EQ(rows_to_take({1000, 1, 4000, 0, 5}), 2000); // no workers: one
}

TEST(pieces, whole_pieces_and_no_crumbs) {
    EXPECT_EQ(pieces_to_take(100, 1000, 300), 30U);
    EXPECT_EQ(pieces_to_take(100, 1000, 1), 1U);
    EXPECT_EQ(pieces_to_take(100, 1000, 660), 66U);
    EXPECT_EQ(pieces_to_take(100, 1000, 680), 100U); // 32 would be left
    EXPECT_EQ(pieces_to_take(100, 1000, 1e30), 100U);
    EXPECT_EQ(pieces_to_take(2, 1000, 10), 1U);
    EXPECT_EQ(pieces_to_take(1, 1000, 10), 1U);
    EXPECT_EQ(pieces_to_take(0, 1000, 10), 1U);
    EXPECT_EQ(pieces_to_take(50, 0, 10), 50U); // of unknown size: never cut
}

// Workers that each take what they are told from one list, while every chunk runs up to `noise` times slower or faster than
// the pace says: how long the last of them works alone, as a share of all the time.
double idle_share(int workers, double rows, double pace, double noise, double target, unsigned seed) {
    std::mt19937_64 chance(seed);
    std::uniform_real_distribution<double> exponent(-1, 1);
    std::vector<double> free_at(static_cast<std::size_t>(workers), 0);
    const double piece = rows / 2000;
    double waiting = rows, done = 0, spent = 0;
    while (waiting > piece / 2) {
        const auto next = std::min_element(free_at.begin(), free_at.end());
        const double wanted = rows_to_take({done, spent, waiting, workers, target});
        const double taken =
            piece * static_cast<double>(pieces_to_take(static_cast<std::size_t>(waiting / piece + 0.5), waiting, wanted));
        const double seconds = taken / pace * std::pow(noise, exponent(chance));
        *next += seconds;
        waiting -= taken;
        done += taken;
        spent += seconds;
    }
    const double end = *std::max_element(free_at.begin(), free_at.end());
    return 1 - std::accumulate(free_at.begin(), free_at.end(), 0.0) / end / workers;
}

TEST(pieces, workers_end_together) {
    for (unsigned seed = 0; seed < 200; seed++)
        for (const int workers : {2, 4, 16}) {
            // A hundred targets of work each; a chunk may take twice or half of what it should.
            EXPECT_LT(idle_share(workers, 1e6 * workers, 2000, 2, 5, seed), 0.015) << workers << ' ' << seed;
            // Less than a target of work each: chunks are never too large to share it out.
            EXPECT_LT(idle_share(workers, 8000 * workers, 2000, 2, 5, seed), 0.1) << workers << ' ' << seed;
        }
}

} // namespace
