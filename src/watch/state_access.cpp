// PG regime: may ereport, so no local here needs a destructor.
#include "watch/state_access.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
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

} // namespace

bool open_access(Oid table, const fold::event_coding &coding, state_access &access) {
    access = {};
    access.relation = ::try_table_open(table, RowExclusiveLock);
    if (!access.relation)
        return false;
    // The lock has brought in what others have changed, so what is kept holds as long as the table is open.
    state_layout layout;
    if (!find_state_layout(access.relation, coding, layout)) {
        ::table_close(access.relation, NoLock);
        return false;
    }
    access.columns = layout.columns;
    access.index = ::index_open(layout.index, RowExclusiveLock);
    return true;
}

void open_executor(state_access &access) {
    if (access.executor)
        return;
    access.executor = make_executor(access.relation);
    access.target = makeNode(ResultRelInfo);
    ::InitResultRelInfo(access.target, access.relation, 1, nullptr, 0);
    ::ExecOpenIndices(access.target, true);
    access.arbiters = list_make1_oid(RelationGetRelid(access.index));
}

void close_access(state_access &access) {
    if (access.executor) {
        ::ExecCloseIndices(access.target);
        ::FreeExecutorState(access.executor);
    }
    ::index_close(access.index, NoLock);
    ::table_close(access.relation, NoLock);
}

} // namespace etl::watch
