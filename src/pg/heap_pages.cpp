// Boundary: heap pages. heapgetpage is there up to PostgreSQL 16; 17 prepares pages of a read stream instead.
#include "pg/heap_pages.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "nodes/tidbitmap.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

#if PG_VERSION_NUM >= 170000
#error "heapgetpage has to be replaced by heap_prepare_pagescan"
#endif

namespace etl::pg {

heap_pages begin_pages(Relation heap, Snapshot snapshot) {
    const TableScanDesc scan = ::table_beginscan_strat(heap, snapshot, 0, nullptr, true, false);
    return {scan, reinterpret_cast<HeapScanDesc>(scan)->rs_nblocks};
}

void end_pages(heap_pages &pages) {
    ::table_endscan(pages.scan);
}

page_rows read_page(heap_pages &pages, BlockNumber page) {
    ::heapgetpage(pages.scan, page);
    const HeapScanDescData *scan = reinterpret_cast<HeapScanDesc>(pages.scan);
    return {static_cast<char *>(BufferGetPage(scan->rs_cbuf)), scan->rs_vistuples, scan->rs_ntuples};
}

struct index_pages {
    TIDBitmap *bitmap;
    TBMIterator *iterator;
};

index_pages *begin_index_pages(Oid index, std::int64_t low, std::int64_t high, Snapshot snapshot) {
    const Relation opened = ::index_open(index, AccessShareLock);
    const Oid family = opened->rd_opfamily[0];
    ScanKeyData keys[2];
    int count = 0;
    auto add = [&](StrategyNumber strategy, std::int64_t bound) {
        const Oid comparison = ::get_opfamily_member(family, INT8OID, INT8OID, static_cast<int16>(strategy));
        ::ScanKeyEntryInitialize(&keys[count++], 0, 1, strategy, INT8OID, InvalidOid, ::get_opcode(comparison),
                                 Int64GetDatum(bound));
    };
    // At least one, as BRIN wants a key to find rows without NULL in it.
    add(BTGreaterEqualStrategyNumber, low);
    if (high != PG_INT64_MAX)
        add(BTLessEqualStrategyNumber, high);
    index_pages *pages = static_cast<index_pages *>(::palloc(sizeof(index_pages)));
    pages->bitmap = ::tbm_create(work_mem * 1024L, nullptr);
    const IndexScanDesc scan = ::index_beginscan_bitmap(opened, snapshot, count);
    ::index_rescan(scan, keys, count, nullptr, 0);
    (void)::index_getbitmap(scan, pages->bitmap);
    ::index_endscan(scan);
    ::index_close(opened, NoLock);
    pages->iterator = ::tbm_begin_iterate(pages->bitmap);
    return pages;
}

BlockNumber next_index_page(index_pages *pages) {
    const TBMIterateResult *next = ::tbm_iterate(pages->iterator);
    return next ? next->blockno : InvalidBlockNumber;
}

void end_index_pages(index_pages *pages) {
    ::tbm_end_iterate(pages->iterator);
    ::tbm_free(pages->bitmap);
    ::pfree(pages);
}

Oid index_led_by(Relation heap, AttrNumber column) {
    Oid found = InvalidOid;
    List *indexes = ::RelationGetIndexList(heap);
    ListCell *cell;
    foreach (cell, indexes) {
        const Relation index = ::index_open(lfirst_oid(cell), AccessShareLock);
        const Form_pg_index form = index->rd_index;
        const bool fits =
            form->indisvalid && form->indisready && !form->indcheckxmin && form->indkey.values[0] == column &&
            ::RelationGetIndexPredicate(index) == NIL &&
            (index->rd_rel->relam == BTREE_AM_OID || index->rd_rel->relam == BRIN_AM_OID) &&
            OidIsValid(::get_opfamily_member(index->rd_opfamily[0], INT8OID, INT8OID, BTGreaterEqualStrategyNumber)) &&
            OidIsValid(::get_opfamily_member(index->rd_opfamily[0], INT8OID, INT8OID, BTLessEqualStrategyNumber));
        // Of several, a B-tree: it knows rows, BRIN ranges of pages.
        if (fits && (!OidIsValid(found) || index->rd_rel->relam == BTREE_AM_OID))
            found = RelationGetRelid(index);
        ::index_close(index, NoLock);
    }
    ::list_free(indexes);
    return found;
}

} // namespace etl::pg
