// PG regime: a price state, opened to be written row by row.
#pragma once

#include "fold/state_row.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace etl::watch {

struct state_access {
    Relation relation;
    Relation index; // the unique one on lid
    EState *executor;
    ResultRelInfo *target;
    List *arbiters; // that index, for ON CONFLICT
    fold::state_columns columns;
};

// Opens it under ROW EXCLUSIVE. False where the table is gone, where there is an obstacle to rows (fold/price_state.hpp),
// or it lacks columns of these types or a unique index on lid, or has indexes over expressions: nobody else's code runs
// on its account.
bool open_access(Oid table, const fold::event_coding &coding, state_access &access);
// The lock stays.
void close_access(state_access &access);

} // namespace etl::watch
