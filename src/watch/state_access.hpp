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

// Opens it under ROW EXCLUSIVE. False where the table is gone or is no plain table with the columns of a price state,
// of these types, a unique index on lid, and neither triggers nor indexes over expressions: nobody else's code runs on
// its account.
bool open_access(Oid table, const fold::event_coding &coding, state_access &access);
// The lock stays.
void close_access(state_access &access);

} // namespace etl::watch
