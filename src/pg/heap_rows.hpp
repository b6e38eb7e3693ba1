// Boundary: writing single rows of a table past the executor, where versions differ. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/tableam.h"
#include "executor/executor.h"
}

namespace etl::pg {

// Entries in all indexes for a row that has just been inserted, or moved by an update; 23505 where it may not be.
inline void insert_index_entries(ResultRelInfo *table, TupleTableSlot *row, EState *state, bool is_update) {
    if (table->ri_NumIndices > 0)
        ::list_free(::ExecInsertIndexTuples(table, row, state, is_update, false, nullptr, NIL));
    ResetPerTupleExprContext(state);
}

// The same for an inserted row, but waits for nobody: 40001 where there is, or may soon be, a row of the same key.
void insert_index_entries_unless_taken(ResultRelInfo *table, TupleTableSlot *row, EState *state);

// Waits for a concurrent transaction that has the row; 40001 if that one changed or deleted it.
void update_row(ResultRelInfo *table, ItemPointer old, TupleTableSlot *row, EState *state, Snapshot snapshot);
void delete_row(Relation table, ItemPointer old, Snapshot snapshot);

} // namespace etl::pg
