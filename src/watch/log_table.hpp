// PG regime: a price log, read for a few lids.
#pragma once

#include "fold/wide.hpp"

extern "C" {
#include "utils/rel.h"
#include "utils/snapshot.h"
}

namespace etl::watch {

// Folds the events of some lids (ascending, each once) as the snapshot shows them, in all partitions and children of
// the log but temporary ones; out[i] belongs to lids[i]. Reads through an index whose first column is lid, or else the whole table. Direct
// access: no function, policy or rule of anybody runs. Wide prices are kept in `prices`. False where a part of the log
// is no table of ours to read.
bool fold_lids(Oid log, const std::int64_t *lids, std::size_t count, Snapshot snapshot, kernel::price_state *out,
               fold::wide_prices &prices);

// True if no page of the log, its partitions and children is in use.
bool log_is_empty(Oid log);

} // namespace etl::watch
