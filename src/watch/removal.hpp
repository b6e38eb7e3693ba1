// PG regime: removals that leave a lid without a row, and fold chunks that must hear of them.
#pragma once

#include "pg/postgres.hpp"

namespace etl::watch {

// A fold chunk inserts rows for lids that had none, from a snapshot that may be older than a removal. Where the removal
// left a row, or is under way, the chunk meets it at the key; where it left none, nothing is there to meet. So these
// lids are queued while a chunk is at work, which at its end folds those anew that it has inserted. Who is at work is
// told by locks: a removal holds the first one (shared, until its transaction ends) and then looks whether a chunk
// holds the second; a chunk takes the second one and then waits for the holders of the first. Neither can miss the
// other.
void queue_emptied(Oid state, const std::int64_t *lids, std::size_t count);

} // namespace etl::watch
