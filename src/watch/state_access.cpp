// PG regime: may ereport, so no local here needs a destructor.
#include "watch/state_access.hpp"

#include "fold/price_state.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "executor/executor.h"
#include "utils/rel.h"
}

namespace etl::watch {

namespace {

EState *make_executor(Relation table) {
    EState *executor = ::CreateExecutorState();
    RangeTblEntry *entry = makeNode(RangeTblEntry);
    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(table);
    entry->relkind = table->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
    ::ExecInitRangeTable(executor, list_make1(entry));
    return executor;
}

// Finds the unique index on lid; false where there is none, or an index that somebody's function computes.
bool open_indexes(state_access &access) {
    ::ExecOpenIndices(access.target, true);
    for (int i = 0; i < access.target->ri_NumIndices; i++) {
        const Relation index = access.target->ri_IndexRelationDescs[i];
        const IndexInfo *info = access.target->ri_IndexRelationInfo[i];
        if (info->ii_Expressions != NIL || info->ii_Predicate != NIL || info->ii_ExclusionOps)
            return false;
        const Form_pg_index form = index->rd_index;
        if (!access.index && form->indisunique && form->indisvalid && form->indimmediate && form->indnkeyatts == 1 &&
            form->indkey.values[0] == access.columns.lid && index->rd_rel->relam == BTREE_AM_OID &&
            index->rd_opfamily[0] == INTEGER_BTREE_FAM_OID) {
            access.index = index;
            access.arbiters = list_make1_oid(RelationGetRelid(index));
        }
    }
    return access.index != nullptr;
}

} // namespace

bool open_access(Oid table, const fold::event_coding &coding, state_access &access) {
    access = {};
    access.relation = ::try_table_open(table, RowExclusiveLock);
    if (!access.relation)
        return false;
    if (!fold::obstacle_to_rows(access.relation) &&
        fold::find_state_columns(RelationGetDescr(access.relation), coding, access.columns)) {
        access.executor = make_executor(access.relation);
        access.target = makeNode(ResultRelInfo);
        ::InitResultRelInfo(access.target, access.relation, 1, nullptr, 0);
        if (open_indexes(access))
            return true;
    }
    close_access(access);
    return false;
}

void close_access(state_access &access) {
    if (access.executor) {
        ::ExecCloseIndices(access.target);
        ::FreeExecutorState(access.executor);
    }
    ::table_close(access.relation, NoLock);
}

} // namespace etl::watch
