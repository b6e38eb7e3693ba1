// PG regime: takes rows from any plan and writes them to a plain table in batches.
#pragma once

#include "load/costs.hpp"
#include "load/lift.hpp"

extern "C" {
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"
#include "tcop/dest.h"
#include "utils/rel.h"
}

namespace etl::load {

// A receiver of rows that have the columns of `target` (plan::row_shape::physical) first, and then what the lifted ones
// are computed from. They are checked against the target's NOT NULL and CHECK constraints, and digested by the columns
// `given` (attributes from 0). The caller holds ROW EXCLUSIVE on the target and keeps it open, and what is lifted and
// given lasts as long. All memory is in the current context; it does not grow with the number of rows.
DestReceiver *create_receiver(Relation target, const lifted_columns &lifted, const Bitmapset *given);

// Says what plan the rows come from, before the first of them: of some plans they need not be copied.
void receive_from(DestReceiver *receiver, PlanState *plan);

// What it has written, and what that cost; of all rows once the executor has shut the receiver down.
costs costs_of(const DestReceiver *receiver);

} // namespace etl::load
