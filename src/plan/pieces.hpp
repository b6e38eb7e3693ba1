// C++ regime: pure. Chunks that are cut while a run learns how fast it is.
#pragma once

#include "plan/ranges.hpp"

namespace etl::plan {

// A range that can be cut further: `cuts` are lids inside of it, rising, that part it into pieces of equal rows.
struct divisible_range {
    cut_range whole;
    std::vector<std::int64_t> cuts;
};

// Gathers neighbouring pieces (as cut_rows and cut_mart give them) into that many ranges of near-equal numbers of pieces;
// fewer where there are not as many pieces.
std::vector<divisible_range> gather_pieces(const std::vector<cut_range> &pieces, std::size_t ranges);

// What a run knows of its loading when a worker claims a chunk. Rows are estimates throughout, so that an estimate that is
// wrong by the same factor everywhere does no harm.
struct load_pace {
    double rows;    // of the chunks that are done, and
    double seconds; // the time that they took, each on its own
    double waiting; // of all chunks that wait, this one included
    int workers;    // that the run may have
    double target;  // seconds that a chunk should take
};

// Rows that a worker paces itself by before anything has been measured, a second.
constexpr double careful_pace = 20000;

// How many rows a worker should take now: those of the target, but no more than half an equal share of what waits, so that
// chunks shrink towards the end and workers end together. Before anything has been measured no more than those of a tenth
// of the target; after that no less than those of a twenty-fifth, since each chunk has a cost of its own.
double rows_to_take(const load_pace &now);

// The same as a number of pieces, from 1 to `pieces`, of a chunk that has so many rows in so many pieces; all of them
// where less than half as much would be left.
std::size_t pieces_to_take(std::size_t pieces, double rows, double wanted);

} // namespace etl::plan
