// Boundary: rows of a heap by an index of it, page by page.
#include "pg/index_pages.hpp"

#include "pg/key_search.hpp"

extern "C" {
#include "access/genam.h"
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace etl::pg {

namespace {

void find_by(Relation index, ScanKey keys, int count, Snapshot snapshot, TIDBitmap *bitmap) {
    const IndexScanDesc scan = ::index_beginscan_bitmap(index, snapshot, count);
    ::index_rescan(scan, keys, count, nullptr, 0);
    (void)::index_getbitmap(scan, bitmap);
    ::index_endscan(scan);
}

// The rows of a range, for a bitmap to note.
void find_range(Relation index, std::int64_t low, std::int64_t high, Snapshot snapshot, TIDBitmap *bitmap) {
    ScanKeyData keys[2];
    int count = 0;
    auto add = [&](StrategyNumber strategy, std::int64_t bound) {
        const Oid type = index->rd_opcintype[0];
        const Oid comparison = ::get_opfamily_member(index->rd_opfamily[0], type, type, static_cast<int16>(strategy));
        ::ScanKeyEntryInitialize(&keys[count++], 0, 1, strategy, type, InvalidOid, ::get_opcode(comparison),
                                 Int64GetDatum(bound));
    };
    // At least one, as BRIN wants a key to find rows without NULL in it.
    add(BTGreaterEqualStrategyNumber, low);
    if (high != PG_INT64_MAX)
        add(BTLessEqualStrategyNumber, high);
    find_by(index, keys, count, snapshot, bitmap);
}

void find_nulls(Relation index, Snapshot snapshot, TIDBitmap *bitmap) {
    ScanKeyData key;
    ::ScanKeyEntryInitialize(&key, SK_ISNULL | SK_SEARCHNULL, 1, InvalidStrategy, InvalidOid, InvalidOid, InvalidOid,
                             static_cast<Datum>(0));
    find_by(index, &key, 1, snapshot, bitmap);
}

template <class Find> index_pages *find_pages(Oid index, Find find) {
    const Relation opened = ::index_open(index, AccessShareLock);
    index_pages *pages = static_cast<index_pages *>(::palloc(sizeof(index_pages)));
    pages->bitmap = ::tbm_create(work_mem * 1024L, nullptr);
    find(opened, pages->bitmap);
    ::index_close(opened, NoLock);
    pages->iterator = ::tbm_begin_iterate(pages->bitmap);
    pages->page = nullptr;
    return pages;
}

} // namespace

index_pages *begin_index_pages(Oid index, std::int64_t low, std::int64_t high, Snapshot snapshot) {
    return find_pages(index,
                      [=](Relation opened, TIDBitmap *bitmap) { find_range(opened, low, high, snapshot, bitmap); });
}

index_pages *begin_index_pages_since(Oid index, std::int64_t low, Snapshot snapshot) {
    return find_pages(index, [=](Relation opened, TIDBitmap *bitmap) {
        find_range(opened, low, PG_INT64_MAX, snapshot, bitmap);
        find_nulls(opened, snapshot, bitmap);
    });
}

index_pages *begin_index_pages(Oid index, const key_list &keys, Snapshot snapshot) {
    return find_pages(index, [=](Relation opened, TIDBitmap *bitmap) {
        key_search search;
        search.open(opened);
        for (int i = 0; i < keys.count; i++) {
            key_rows rows;
            if (search.find(keys.keys[i], rows))
                ::tbm_add_tuples(bitmap, rows.rows, rows.count, false);
            else
                find_range(opened, keys.keys[i], keys.keys[i], snapshot, bitmap);
        }
        search.close();
    });
}

BlockNumber next_index_page(index_pages *pages) {
    pages->page = ::tbm_iterate(pages->iterator);
    return pages->page ? pages->page->blockno : InvalidBlockNumber;
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
        const Oid type = TupleDescAttr(RelationGetDescr(heap), column - 1)->atttypid;
        const bool fits =
            form->indisvalid && form->indisready && !form->indcheckxmin && form->indkey.values[0] == column &&
            ::RelationGetIndexPredicate(index) == NIL &&
            (index->rd_rel->relam == BTREE_AM_OID || index->rd_rel->relam == BRIN_AM_OID) &&
            (type == INT8OID || type == TIMESTAMPTZOID) && index->rd_opcintype[0] == type &&
            OidIsValid(::get_opfamily_member(index->rd_opfamily[0], type, type, BTGreaterEqualStrategyNumber)) &&
            OidIsValid(::get_opfamily_member(index->rd_opfamily[0], type, type, BTLessEqualStrategyNumber));
        // Of several, a B-tree: it knows rows, BRIN ranges of pages.
        if (fits && (!OidIsValid(found) || index->rd_rel->relam == BTREE_AM_OID))
            found = RelationGetRelid(index);
        ::index_close(index, NoLock);
    }
    ::list_free(indexes);
    return found;
}

} // namespace etl::pg
