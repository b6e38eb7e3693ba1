// C++ regime: which way a price log is read, and what for.
#pragma once

#include "pg/error.hpp"

namespace etl::fold {

enum class way_to_read {
    statement, // by plain SQL
    index,     // page by page, only those on which an index finds lids of the range
    scan       // page by page, all of them for every range
};

struct reading {
    way_to_read way;
    pg::string why; // in words without names, fit for a comment of SQL
    double events;  // of the log, as far as statistics know; 0: unknown
    double lids;
};

// Chooses by the kinds and types of log and price state and by the statistics of lid. Acts as the current user; the
// answer may change from plan to task, which is no more than a matter of speed.
reading choose_reading(Oid prices, Oid price_state);

// How many lids a worker holds in etl.fold_memory.
double lids_in_memory() noexcept;

} // namespace etl::fold
