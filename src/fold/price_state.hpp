// PG regime: whether rows can be written to a price state past the executor.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "storage/lockdefs.h"
#include "utils/relcache.h"
}

namespace etl::fold {

// What the executor would do, or others ask for, when a row goes to the table: it has triggers, checks, row security or
// further columns. Fit for "...: %s"; NULL where there is nothing. Whoever writes asks, triggers on logs as well.
const char *obstacle_to_rows(Relation table);

// Opens the price state, under ROW EXCLUSIVE to write to it. Where a fold can't write to it so (there is an obstacle to
// rows, columns have other types than the log's, a key or a right is missing) it is not opened and `obstacle` says why.
Relation open_price_state(Oid table, Oid prices, LOCKMODE mode, const char *&obstacle);

} // namespace etl::fold
