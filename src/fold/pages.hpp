// PG regime: the fold past the executor: pages of the log to a map of states to the price state.
#pragma once

#include "fold/anew.hpp"
#include "plan/lid_range.hpp"

namespace etl::fold {

// Whether log and price state are tables that the fold can read and write itself. As plain data.
struct page_access {
    const char *obstacle; // NULL: they are
    bool has_index;       // that leads to the events of a lid; of a log that is a single table
};
page_access access_of(Oid prices, Oid price_state);

// Folds the range and returns the rows written. by_index: reads only pages on which an index finds such lids. anew:
// NULL where nobody else writes. The states take at most `memory` bytes; where that is not enough for the lids that
// come, the higher ones wait for a further scan. The caller has seen that there is no obstacle; if there is one now:
// false, and nothing was done.
bool fold_pages(Oid prices, Oid price_state, const plan::key_bounds &bounds, bool by_index, fold_anew anew,
                std::size_t memory, std::int64_t &rows);

} // namespace etl::fold
