// C++ regime: loading one chunk.
#pragma once

#include "load/costs.hpp"
#include "plan/plan.hpp"

namespace etl::load {

// Writes the rows of `view` with lid in the range into `staging` (whose columns are the mart's) and returns how many they were and what they cost.
// Acts as the current user, in the caller's transaction, with a plan of the chunk's own.
costs load_chunk(Oid view, Oid staging, const plan::lid_range &range);

} // namespace etl::load
