// PG regime: may ereport, so no local here needs a destructor.
#include "load/chunk.hpp"

#include "function/rates.hpp"
#include "load/receiver.hpp"
#include "pg/usage.hpp"
#include "plan/source_query.hpp"

extern "C" {
#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"
}

namespace etl::load {

namespace {

struct chunk_name {
    const char *target; // null if it was dropped
    const plan::key_bounds *bounds;
};

void describe_chunk(void *argument) {
    const chunk_name *chunk = static_cast<const chunk_name *>(argument);
    char from[32] = "the smallest", to[32] = "the largest";
    if (chunk->bounds->has_from)
        pg_snprintf(from, sizeof from, INT64_FORMAT, chunk->bounds->from);
    if (chunk->bounds->has_to)
        pg_snprintf(to, sizeof to, INT64_FORMAT, chunk->bounds->to);
    if (chunk->target)
        errcontext("loading table \"%s\", lid from %s to %s", chunk->target, from, to);
}

// True if the table is no more than a heap that the view fills: then rows can go to it as they are.
bool takes_batches(Relation target, const Query *given) {
    const Form_pg_class relation = target->rd_rel;
    if (relation->relkind != RELKIND_RELATION || relation->relam != HEAP_TABLE_AM_OID || relation->relispartition ||
        relation->relhasindex || relation->relhassubclass || target->trigdesc || target->rd_rules ||
        ::check_enable_rls(RelationGetRelid(target), InvalidOid, true) == RLS_ENABLED)
        return false;
    const TupleDesc columns = RelationGetDescr(target);
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (column->attisdropped)
            continue;
        if (column->attgenerated || column->attidentity)
            return false;
        bool found = false;
        ListCell *cell;
        foreach (cell, given->targetList)
            found |= namestrcmp(&column->attname, static_cast<TargetEntry *>(lfirst(cell))->resname) == 0;
        if (!found && (column->atthasdef || ::DomainHasConstraints(column->atttypid)))
            return false;
    }
    return true;
}

// The attributes of the target that the view gives, from 0.
Bitmapset *given_attributes(TupleDesc columns, const Query *given) {
    Bitmapset *attributes = nullptr;
    ListCell *cell;
    foreach (cell, given->targetList) {
        const char *name = static_cast<TargetEntry *>(lfirst(cell))->resname;
        for (int i = 0; i < columns->natts; i++)
            if (!TupleDescAttr(columns, i)->attisdropped && namestrcmp(&TupleDescAttr(columns, i)->attname, name) == 0)
                attributes = ::bms_add_member(attributes, i);
    }
    return attributes;
}

costs write_batches(Oid view, Relation target, const plan::key_bounds &bounds, const Query *given) {
    if (::pg_class_aclcheck(RelationGetRelid(target), ::GetUserId(), ACL_INSERT) != ACLCHECK_OK)
        ::aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(target));
    const char *text = "pg_etl: load a chunk";
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    Query *wanted = plan::source_query(view, target, bounds, plan::row_shape::physical);
    const lifted_columns lifted = lift(wanted);
    PlannedStmt *plan = plan::plan_source_query(wanted, text).plan;
    ::PopActiveSnapshot();
    // Planning has locked all partitions: one that was rewritten later has no rows for an older snapshot. Rows that an
    // earlier statement of the transaction wrote are seen, those that this one writes are not.
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    DestReceiver *receiver = create_receiver(target, lifted, given_attributes(RelationGetDescr(target), given));
    QueryDesc *query =
        ::CreateQueryDesc(plan, text, ::GetActiveSnapshot(), InvalidSnapshot, receiver, nullptr, nullptr, 0);
    ::ExecutorStart(query, 0);
    receive_from(receiver, query->planstate);
    ::ExecutorRun(query, ForwardScanDirection, 0, true);
    ::ExecutorFinish(query);
    ::ExecutorEnd(query);
    ::FreeQueryDesc(query);
    ::PopActiveSnapshot();
    const costs spent = costs_of(receiver);
    receiver->rDestroy(receiver);
    return spent;
}

// The names of the columns that the view gives.
char *names_of(const Query *given) {
    StringInfoData names;
    ::initStringInfo(&names);
    ListCell *cell;
    foreach (cell, given->targetList)
        ::appendStringInfo(&names, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
                           ::quote_identifier(static_cast<TargetEntry *>(lfirst(cell))->resname));
    return names.data;
}

// The rows are digested as the table got them: triggers may change them.
costs write_by_insert(Oid view, Relation target, const plan::key_bounds &bounds, const Query *given) {
    const char *columns = names_of(given);
    const char *statement =
        ::psprintf("WITH written AS (INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE %s RETURNING %s)"
                   " SELECT pg_catalog.count(*), etl.digest(written.*) FROM written",
                   ::quote_qualified_identifier(::get_namespace_name(RelationGetNamespace(target)),
                                                RelationGetRelationName(target)),
                   columns, plan::source_query_text(view, RelationGetRelid(target), bounds), columns);
    ::SPI_connect();
    const int code = ::SPI_execute(statement, false, 0);
    if (code != SPI_OK_SELECT)
        elog(ERROR, "loading failed with %s", ::SPI_result_code_string(code));
    const auto number = [](int column) {
        bool is_null;
        return DatumGetInt64(::SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &is_null));
    };
    costs spent{};
    spent.rows = number(1);
    spent.digest = static_cast<std::uint64_t>(number(2));
    spent.memory = pg::memory_bytes();
    ::SPI_finish();
    return spent;
}

} // namespace

costs write_chunk(Oid view, Oid target, const plan::key_bounds &bounds) {
    chunk_name name{::get_rel_name(target), &bounds};
    ErrorContextCallback context{error_context_stack, describe_chunk, &name};
    error_context_stack = &context;
    const MemoryContext own = AllocSetContextCreate(CurrentMemoryContext, "etl chunk", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext before = ::MemoryContextSwitchTo(own);

    const Relation table = plan::open_planned(target, RowExclusiveLock, "staging table");
    function::lock_rates();
    const Query *given = plan::source_query(view, table, bounds, plan::row_shape::given);
    const costs spent = takes_batches(table, given) ? write_batches(view, table, bounds, given)
                                                    : write_by_insert(view, table, bounds, given);
    ::relation_close(table, NoLock);
    // What comes next in this transaction sees the rows.
    ::CommandCounterIncrement();

    ::MemoryContextSwitchTo(before);
    ::MemoryContextDelete(own);
    error_context_stack = context.previous;
    return spent;
}

} // namespace etl::load
