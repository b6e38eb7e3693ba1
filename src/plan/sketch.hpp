// C++ regime: how the lids of a relation are spread, at a glance.
#pragma once

#include "pg/memory.hpp"
#include "plan/ranges.hpp"

namespace etl::plan {

// A sketch of the column lid of `relation`: from its statistics where they are recent, else from a sample of a bounded
// number of pages, else (views, foreign tables never analysed) by reading the column. Acts as the current user.
// Only the balance of chunks depends on it. An empty sketch where the relation is empty.
sketch sketch_of(Oid relation);

// True if the current user may read the column, so that sketch_of() does not raise.
bool may_sketch(Oid relation);

} // namespace etl::plan
