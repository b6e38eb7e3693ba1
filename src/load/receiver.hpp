// PG regime: takes rows from any plan and writes them to a plain table in batches.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "tcop/dest.h"
#include "utils/rel.h"
}

namespace etl::load {

// A receiver of rows that have the shape of `target`'s (plan::row_shape::physical), checked against its NOT NULL and
// CHECK constraints. The caller holds ROW EXCLUSIVE on the target and keeps it open. All memory is in the current
// context; it does not grow with the number of rows.
DestReceiver *create_receiver(Relation target);

// Rows written so far; all that came in once the executor has shut the receiver down.
std::int64_t rows_written(const DestReceiver *receiver);

} // namespace etl::load
