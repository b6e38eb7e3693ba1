// PG regime: may ereport, so no local here needs a destructor.
#include "sync/sorted_rows.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

#include <utility>

namespace etl::sync {

namespace {

constexpr const char *key_name = "lid";

// Hands rows on to the sort.
struct sorter {
    DestReceiver receiver; // first, as the executor knows no more than this
    Tuplesortstate *sorted;
    AttrNumber lid;
};

bool take_row(TupleTableSlot *row, DestReceiver *receiver) {
    const sorter *self = reinterpret_cast<const sorter *>(receiver);
    if (!slot_attisnull(row, self->lid))
        ::tuplesort_puttupleslot(self->sorted, row);
    return true;
}

std::int64_t lid_of(const sorted_rows &rows, TupleTableSlot *slot) {
    bool is_null;
    const Datum value = slot_getattr(slot, rows.lid, &is_null);
    return rows.lid_type == INT8OID   ? DatumGetInt64(value)
           : rows.lid_type == INT4OID ? DatumGetInt32(value)
                                      : DatumGetInt16(value);
}

void look_ahead(sorted_rows &rows) {
    rows.has_ahead = ::tuplesort_gettupleslot(rows.sorted, true, true, rows.ahead, nullptr);
    if (rows.has_ahead)
        rows.lid_ahead = lid_of(rows, rows.ahead);
}

AttrNumber find_lid(TupleDesc columns) {
    for (int i = 0; i < columns->natts; i++)
        if (strcmp(NameStr(TupleDescAttr(columns, i)->attname), key_name) == 0)
            return static_cast<AttrNumber>(i + 1);
    elog(ERROR, "rows without a column lid");
}

} // namespace

sorted_rows sort_rows(PlannedStmt *plan, ParamListInfo parameters, Snapshot snapshot) {
    sorter to{};
    to.receiver.receiveSlot = take_row;
    to.receiver.rStartup = [](DestReceiver *, int, TupleDesc) {};
    to.receiver.rShutdown = to.receiver.rDestroy = [](DestReceiver *) {};
    to.receiver.mydest = DestNone;
    QueryDesc *query =
        ::CreateQueryDesc(plan, "pg_etl: rows by lid", snapshot, InvalidSnapshot, &to.receiver, parameters, nullptr, 0);
    ::ExecutorStart(query, 0);
    sorted_rows rows{};
    rows.columns = ::CreateTupleDescCopy(query->tupDesc);
    rows.lid = to.lid = find_lid(rows.columns);
    rows.lid_type = ::getBaseType(TupleDescAttr(rows.columns, rows.lid - 1)->atttypid);
    AttrNumber key = rows.lid;
    Oid order = ::lookup_type_cache(rows.lid_type, TYPECACHE_LT_OPR)->lt_opr, collation = InvalidOid;
    bool nulls_first = false;
    rows.sorted = to.sorted = ::tuplesort_begin_heap(rows.columns, 1, &key, &order, &collation, &nulls_first, work_mem,
                                                     nullptr, TUPLESORT_NONE);
    ::ExecutorRun(query, ForwardScanDirection, 0, true);
    ::ExecutorFinish(query);
    ::ExecutorEnd(query);
    ::FreeQueryDesc(query);
    ::tuplesort_performsort(rows.sorted);
    rows.row = ::MakeSingleTupleTableSlot(rows.columns, &TTSOpsMinimalTuple);
    rows.ahead = ::MakeSingleTupleTableSlot(rows.columns, &TTSOpsMinimalTuple);
    look_ahead(rows);
    return rows;
}

void end_rows(sorted_rows &rows) {
    ::ExecDropSingleTupleTableSlot(rows.row);
    ::ExecDropSingleTupleTableSlot(rows.ahead);
    ::tuplesort_end(rows.sorted);
}

bool next_of(sorted_rows &rows, std::int64_t lid) {
    if (!comes_next(rows, lid))
        return false;
    std::swap(rows.row, rows.ahead);
    slot_getallattrs(rows.row);
    look_ahead(rows);
    return true;
}

bool least_lid(const sorted_rows &left, const sorted_rows &right, std::int64_t &lid) {
    if (!left.has_ahead && !right.has_ahead)
        return false;
    lid = !right.has_ahead || (left.has_ahead && left.lid_ahead < right.lid_ahead) ? left.lid_ahead : right.lid_ahead;
    return true;
}

} // namespace etl::sync
