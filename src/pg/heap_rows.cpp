// Boundary: writing single rows. PostgreSQL 16 tells by an enumeration which indexes an update concerns.
#include "pg/heap_rows.hpp"

namespace etl::pg {

static void require_ok(TM_Result result, Relation table) {
    if (result != TM_Ok)
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("a row of table \"%s\" was changed by another transaction meanwhile",
                               RelationGetRelationName(table))));
}

void insert_index_entries_unless_taken(ResultRelInfo *table, TupleTableSlot *row, EState *state) {
    // Indexes in which the key may be twice.
    const List *doubtful = ::ExecInsertIndexTuples(table, row, state, false, true, nullptr, NIL);
    require_ok(doubtful == NIL ? TM_Ok : TM_Updated, table->ri_RelationDesc);
    ResetPerTupleExprContext(state);
}

void update_row(ResultRelInfo *table, ItemPointer old, TupleTableSlot *row, EState *state, Snapshot snapshot) {
    const Relation relation = table->ri_RelationDesc;
    TM_FailureData failure;
    LockTupleMode mode;
    bool moved;
    require_ok(::table_tuple_update(relation, old, row, ::GetCurrentCommandId(true), snapshot, InvalidSnapshot, true,
                                    &failure, &mode, &moved),
               relation);
    if (moved)
        insert_index_entries(table, row, state, true);
}

void delete_row(Relation table, ItemPointer old, Snapshot snapshot) {
    TM_FailureData failure;
    require_ok(
        ::table_tuple_delete(table, old, ::GetCurrentCommandId(true), snapshot, InvalidSnapshot, true, &failure, false),
        table);
}

} // namespace etl::pg
