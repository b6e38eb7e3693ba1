// PG regime: what a fold chunk does to rows that writers of the log may be at.
#pragma once

#include "pg/postgres.hpp"

namespace etl::watch {

// A fold::fold_anew: lids are folded anew as by a removal. Raises 55P03 soon where somebody keeps a row, and 40P01 at
// once where that one waits for this transaction; 55000 where the price state is not fit to be written so.
std::int64_t fold_beside_writers(Oid prices, Oid price_state, const std::int64_t *lids, std::size_t count);

} // namespace etl::watch
