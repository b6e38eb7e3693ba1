// PG regime: a price state, opened to be written row by row.
#pragma once

#include "watch/state_layout.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace etl::watch {

struct state_access {
    Relation relation;
    Relation index; // the unique one on lid
    fold::state_columns columns;
    // For entries in the indexes, which most updates need not make; NULL until open_executor().
    EState *executor;
    ResultRelInfo *target;
    List *arbiters; // that index, for ON CONFLICT
};

// Opens it under ROW EXCLUSIVE. False where the table is gone, or not fit for it (state_layout.hpp).
bool open_access(Oid table, const fold::event_coding &coding, state_access &access);
// Opens what has to do with indexes, unless it is open.
void open_executor(state_access &access);
// The locks stay.
void close_access(state_access &access);

} // namespace etl::watch
