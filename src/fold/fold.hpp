// C++ regime: folding a range of a price log into the price state.
#pragma once

#include "fold/reading.hpp"
#include "plan/lid_range.hpp"

namespace etl::fold {

// Makes the price state of the range equal to the log: changed rows are written, missing ones inserted, those without
// countable events deleted, the others left alone. Returns the rows that were written. Acts as the current user.
// 40001 where somebody else writes the same rows.
std::int64_t fold_chunk(Oid prices, Oid price_state, const plan::lid_range &range);

} // namespace etl::fold
