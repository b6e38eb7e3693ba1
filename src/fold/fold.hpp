// C++ regime: folding a range of a price log into the price state.
#pragma once

#include "fold/anew.hpp"
#include "fold/reading.hpp"
#include "plan/lid_range.hpp"

namespace etl::fold {

// Makes the price state of the range equal to the log: changed rows are written, missing ones inserted, those without
// countable events deleted, the others left alone. Returns the rows that were written. Acts as the current user.
// 40001 where somebody else writes the same rows. Of a price state that triggers keep meanwhile, `anew` gets the lids
// whose rows differ from one snapshot of the log; pages are folded for the missing ones, which are inserted.
std::int64_t fold_chunk(Oid prices, Oid price_state, const plan::lid_range &range, fold_anew anew = nullptr);

} // namespace etl::fold
