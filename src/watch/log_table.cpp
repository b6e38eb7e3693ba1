// PG regime: a price log, read for a few lids.
#include "watch/log_table.hpp"

#include "fold/events.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_opfamily.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace etl::watch {

namespace {

// An index that finds all rows of a lid, for every snapshot.
bool serves(Relation index, AttrNumber lid) {
    const Form_pg_index form = index->rd_index;
    return index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indkey.values[0] == lid &&
           index->rd_opfamily[0] == INTEGER_BTREE_FAM_OID &&
           ::heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr) &&
           (!form->indcheckxmin ||
            ::TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin));
}

Relation open_index(Relation table, AttrNumber lid) {
    List *indexes = ::RelationGetIndexList(table);
    ListCell *cell;
    foreach (cell, indexes) {
        const Relation index = ::index_open(lfirst_oid(cell), AccessShareLock);
        if (serves(index, lid))
            return index;
        ::index_close(index, AccessShareLock);
    }
    return nullptr;
}

// What is asked for, and where it goes.
struct wanted_lids {
    const std::int64_t *lids;
    std::size_t count;
    Snapshot snapshot;
    kernel::price_state *out;
    fold::wide_prices &prices;
};

void fold_row(const wanted_lids &wanted, const fold::row_layout &layout, TupleTableSlot *slot) {
    const HeapTuple tuple = ::ExecFetchSlotHeapTuple(slot, false, nullptr);
    fold::price_event event;
    if (!fold::read_event(layout, tuple->t_data, event))
        return;
    const std::int64_t *at = std::lower_bound(wanted.lids, wanted.lids + wanted.count, event.lid);
    if (at != wanted.lids + wanted.count && *at == event.lid)
        fold::absorb(wanted.prices, wanted.out[at - wanted.lids], event.day, event.price, event.wide);
}

void fold_by_index(const wanted_lids &wanted, const fold::row_layout &layout, Relation table, Relation index,
                   TupleTableSlot *slot) {
    const IndexScanDesc scan = ::index_beginscan(table, index, wanted.snapshot, 1, 0);
    for (std::size_t i = 0; i < wanted.count; i++) {
        CHECK_FOR_INTERRUPTS();
        ScanKeyData key;
        ::ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(wanted.lids[i]));
        ::index_rescan(scan, &key, 1, nullptr, 0);
        while (::index_getnext_slot(scan, ForwardScanDirection, slot))
            fold_row(wanted, layout, slot);
    }
    ::index_endscan(scan);
}

void fold_by_scan(const wanted_lids &wanted, const fold::row_layout &layout, Relation table, TupleTableSlot *slot) {
    const TableScanDesc scan = ::table_beginscan(table, wanted.snapshot, 0, nullptr);
    while (::table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        fold_row(wanted, layout, slot);
    }
    ::table_endscan(scan);
}

bool fold_part(const wanted_lids &wanted, Relation table) {
    fold::row_layout layout;
    // Rows of other kinds of tables are not laid out as a heap's.
    if (table->rd_rel->relam != HEAP_TABLE_AM_OID || !fold::find_layout(RelationGetDescr(table), layout))
        return false;
    TupleTableSlot *slot = ::table_slot_create(table, nullptr);
    const Relation index = open_index(table, layout.lid);
    if (index) {
        fold_by_index(wanted, layout, table, index, slot);
        ::index_close(index, AccessShareLock);
    } else {
        fold_by_scan(wanted, layout, table, slot);
    }
    ::ExecDropSingleTupleTableSlot(slot);
    return true;
}

// NULL where it is gone. Temporary children hold what one session alone sees, which is no part of a shared state.
Relation open_part(Oid part) {
    const Relation table = ::try_table_open(part, NoLock);
    if (!table || table->rd_rel->relpersistence != RELPERSISTENCE_TEMP)
        return table;
    ::table_close(table, NoLock);
    return nullptr;
}

} // namespace

bool fold_lids(Oid log, const std::int64_t *lids, std::size_t count, Snapshot snapshot, kernel::price_state *out,
               fold::wide_prices &prices) {
    for (std::size_t i = 0; i < count; i++) {
        out[i] = {};
        out[i].lid = lids[i];
    }
    List *parts = ::find_all_inheritors(log, AccessShareLock, nullptr);
    bool whole = true;
    ListCell *cell;
    foreach (cell, parts) {
        const Relation table = open_part(lfirst_oid(cell));
        if (!table)
            continue;
        const char kind = table->rd_rel->relkind;
        if (kind == RELKIND_RELATION || kind == RELKIND_MATVIEW)
            whole = fold_part({lids, count, snapshot, out, prices}, table) && whole;
        else if (kind != RELKIND_PARTITIONED_TABLE)
            whole = false;
        ::table_close(table, NoLock);
    }
    return whole;
}

bool log_is_empty(Oid log) {
    List *parts = ::find_all_inheritors(log, AccessShareLock, nullptr);
    bool empty = true;
    ListCell *cell;
    foreach (cell, parts) {
        const Relation table = open_part(lfirst_oid(cell));
        if (!table)
            continue;
        if (table->rd_rel->relkind == RELKIND_RELATION)
            empty = empty && RelationGetNumberOfBlocks(table) == 0;
        ::table_close(table, NoLock);
    }
    return empty;
}

} // namespace etl::watch
