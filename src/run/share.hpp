// C++ regime: how much of a waiting chunk a worker takes.
#pragma once

#include "run/claim.hpp"

namespace etl::run {

// Cuts a chunk, which the caller has locked and is about to begin, to what a worker should take of it now, by the pace of the
// run's chunks so far (plan/pieces). The rest waits as a task of its own, under a new number; both commit with the claim, so
// that at every moment the chunks of a portal cover all lids once. `wanted` comes back with its new range.
void take_share(const record &run, task &wanted);

} // namespace etl::run
