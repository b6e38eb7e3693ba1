// PG regime: one chunk from its source view to its table.
#pragma once

#include "load/costs.hpp"
#include "plan/key_range.hpp"

namespace etl::load {

// Writes the view's rows in the bounds to the table and returns how many they were and what they cost. Plain tables get them in batches past the
// executor; others (triggers, row security, indexes, defaults to fill in, partitions, foreign tables) by INSERT.
costs write_chunk(Oid view, Oid target, const plan::key_bounds &bounds);

} // namespace etl::load
