// C++ regime: folding a range of a price log into the price state.
#pragma once

#include "plan/plan.hpp"

namespace etl::fold {

// The statement of one chunk.
pg::string fold_statement(Oid prices, Oid price_state, const plan::lid_range &range);

// Makes the price state of the range equal to the log: changed rows are written, missing ones inserted, those without
// countable events deleted. Returns the rows that were written. Acts as the current user.
std::int64_t fold_chunk(Oid prices, Oid price_state, const plan::lid_range &range);

} // namespace etl::fold
