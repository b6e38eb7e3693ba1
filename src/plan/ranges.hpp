// C++ regime: pure. Cuts the lids from the smallest to the largest bigint into ranges of near-equal numbers of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace etl::plan {

// What is known of the lids of one relation: `bounds` are quantiles, sorted, with equal masses between neighbours
// (repeated bounds are one lid with many rows); `rows` is the mass of all. No bounds: nothing is known, or no rows.
struct sketch {
    std::vector<std::int64_t> bounds;
    double rows = 0;
};

// [from, to) with the rows expected in it; an empty optional is no bound.
struct cut_range {
    std::optional<std::int64_t> from;
    std::optional<std::int64_t> to;
    double rows = 0;
};

constexpr std::size_t most_ranges = 100000;

// Ranges over the rows of one relation, in order, without gap or overlap; the first and the last one are open.
// rows_each: rows that a range should have at most; more where there would be more than `most` ranges, or where one
// lid alone has more. Always at least one range.
std::vector<cut_range> cut_rows(const sketch &rows, double rows_each, std::size_t most = most_ranges);

// The same over the rows of one portal of a mart. Portals share a mapping, so in each stretch of lids the mart gets
// the mapping's rows times the share that this portal's listings have in all listings there.
std::vector<cut_range> cut_mart(const sketch &listing, const sketch &mapping, const std::vector<sketch> &other_listings,
                                double rows_each, std::size_t most = most_ranges);

// A sketch with `count` bounds of the lids of a histogram (equal masses) together with single lids of known masses,
// as statistics give them. The arguments need not be sorted.
sketch merge_frequent(const sketch &histogram, std::vector<std::int64_t> frequent, std::vector<double> frequent_rows,
                      std::size_t count);

} // namespace etl::plan
