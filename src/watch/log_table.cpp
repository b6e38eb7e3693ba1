// PG regime: a price log, read for a few lids.
#include "watch/log_table.hpp"

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

void fold_by_index(Relation table, Relation index, const log_shape &shape, const std::int64_t *lids, std::size_t count,
                   Snapshot snapshot, TupleTableSlot *slot, folded *out) {
    const IndexScanDesc scan = ::index_beginscan(table, index, snapshot, 1, 0);
    for (std::size_t i = 0; i < count; i++) {
        CHECK_FOR_INTERRUPTS();
        ScanKeyData key;
        ::ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(lids[i]));
        ::index_rescan(scan, &key, 1, nullptr, 0);
        while (::index_getnext_slot(scan, ForwardScanDirection, slot)) {
            found_event found;
            if (read_event(shape, slot, found))
                out[i].add(found.what, CurrentMemoryContext);
        }
    }
    ::index_endscan(scan);
}

void fold_by_scan(Relation table, const log_shape &shape, const std::int64_t *lids, std::size_t count,
                  Snapshot snapshot, TupleTableSlot *slot, folded *out) {
    const TableScanDesc scan = ::table_beginscan(table, snapshot, 0, nullptr);
    while (::table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        found_event found;
        if (!read_event(shape, slot, found))
            continue;
        const std::int64_t *at = std::lower_bound(lids, lids + count, found.lid);
        if (at != lids + count && *at == found.lid)
            out[at - lids].add(found.what, CurrentMemoryContext);
    }
    ::table_endscan(scan);
}

bool fold_part(Relation table, const std::int64_t *lids, std::size_t count, Snapshot snapshot, folded *out) {
    log_shape shape;
    if (!read_shape(RelationGetDescr(table), shape))
        return false;
    TupleTableSlot *slot = ::table_slot_create(table, nullptr);
    const Relation index = open_index(table, shape.lid);
    if (index) {
        fold_by_index(table, index, shape, lids, count, snapshot, slot, out);
        ::index_close(index, AccessShareLock);
    } else {
        fold_by_scan(table, shape, lids, count, snapshot, slot, out);
    }
    ::ExecDropSingleTupleTableSlot(slot);
    return true;
}

} // namespace

bool fold_lids(Oid log, const std::int64_t *lids, std::size_t count, Snapshot snapshot, folded *out) {
    memset(static_cast<void *>(out), 0, sizeof(folded) * count);
    List *parts = ::find_all_inheritors(log, AccessShareLock, nullptr);
    bool whole = true;
    ListCell *cell;
    foreach (cell, parts) {
        const Relation table = ::try_table_open(lfirst_oid(cell), NoLock);
        if (!table)
            continue;
        const char kind = table->rd_rel->relkind;
        if (kind == RELKIND_RELATION || kind == RELKIND_MATVIEW)
            whole = fold_part(table, lids, count, snapshot, out) && whole;
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
        const Relation table = ::try_table_open(lfirst_oid(cell), NoLock);
        if (!table)
            continue;
        if (table->rd_rel->relkind == RELKIND_RELATION)
            empty = empty && RelationGetNumberOfBlocks(table) == 0;
        ::table_close(table, NoLock);
    }
    return empty;
}

} // namespace etl::watch
