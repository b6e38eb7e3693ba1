// PG regime: listings that lost their last price event. Their state has no row any more that could say when it changed.
#pragma once

#include "pg/postgres.hpp"

namespace etl::fold {

// Records, for syncs of marts that read the price state, that these lids have no row in it since this transaction.
void record_emptied(Oid state, const std::int64_t *lids, std::size_t count);
// The same of all lids.
void record_all_emptied(Oid state);

} // namespace etl::fold
