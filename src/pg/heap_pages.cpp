// Boundary: heap pages, as heapgetpage reads them. PostgreSQL 17 has no test for old snapshots any more.
#include "pg/heap_pages.hpp"

#include "kernel/fetch.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/stratnum.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

void begin_pages(heap_pages &pages, Relation heap, Snapshot snapshot) {
    pages.heap = heap;
    pages.snapshot = snapshot;
    pages.count = RelationGetNumberOfBlocks(heap);
    // A table that is large beside the cache must not push all else out of it.
    pages.strategy = pages.count > static_cast<BlockNumber>(NBuffers) / 4 ? ::GetAccessStrategy(BAS_BULKREAD) : nullptr;
    pages.pinned = pages.expected = InvalidBuffer;
    pages.is_serializable = IsolationIsSerializable();
    ::PredicateLockRelation(heap, snapshot);
    pgstat_count_heap_scan(heap);
}

void end_pages(heap_pages &pages) {
    if (BufferIsValid(pages.pinned))
        ::ReleaseBuffer(pages.pinned);
    if (pages.strategy)
        ::FreeAccessStrategy(pages.strategy);
}

namespace {

// Pins the page; where it lies as expected, without a search for it.
Buffer pin_page(heap_pages &pages, BlockNumber number) {
#if PG_VERSION_NUM < 160000
    const RelFileNode &file = pages.heap->rd_node;
#else
    const RelFileLocator &file = pages.heap->rd_locator;
#endif
    if (BufferIsValid(pages.expected) && ::ReadRecentBuffer(file, MAIN_FORKNUM, number, pages.expected)) {
        pgstat_count_buffer_read(pages.heap);
        pgstat_count_buffer_hit(pages.heap);
        return pages.expected;
    }
    return ::ReadBufferExtended(pages.heap, MAIN_FORKNUM, number, RBM_NORMAL, pages.strategy);
}

std::uint32_t word_of(ItemIdData item) {
    std::uint32_t word;
    memcpy(&word, &item, sizeof word);
    return word;
}

bool are_normal(const ItemIdData *items, int count) {
    const std::uint32_t flags = word_of({0, 3, 0}), normal = word_of({0, LP_NORMAL, 0});
    std::uint32_t odd = 0;
    for (int i = 0; i < count; i++)
        odd |= word_of(items[i]) ^ normal;
    return (odd & flags) == 0;
}

// What most rows of a page that is not all-visible are: inserted by a transaction known to have committed before any
// that the snapshot takes for running, and left alone since.
bool is_plainly_visible(HeapTupleHeader row, TransactionId oldest_running) {
    constexpr std::uint16_t settled = HEAP_XMIN_COMMITTED | HEAP_XMAX_INVALID;
    return (row->t_infomask & settled) == settled &&
           (HeapTupleHeaderXminFrozen(row) || ::TransactionIdPrecedes(HeapTupleHeaderGetRawXmin(row), oldest_running));
}

bool is_visible(const heap_pages &pages, bool all_visible, HeapTupleHeader row, std::uint32_t length, BlockNumber page,
                OffsetNumber item) {
    HeapTupleData tuple;
    tuple.t_data = row;
    tuple.t_len = length;
    tuple.t_tableOid = RelationGetRelid(pages.heap);
    ItemPointerSet(&tuple.t_self, page, item);
    const bool seen = all_visible || ::HeapTupleSatisfiesVisibility(&tuple, pages.snapshot, pages.pinned);
    ::HeapCheckForSerializableConflictOut(seen, pages.heap, &tuple, pages.pinned, pages.snapshot);
    return seen;
}

} // namespace

// Pages lie in the order in which they came into the cache: often one behind the other; one before the other where they
// got the places of a table that was dropped, which are given out from the last one on.
static Buffer expect_next(Buffer before, Buffer now) {
    const Buffer next = now == before - 1 ? now - 1 : now + 1;
    return now > 0 && next > 0 && next <= NBuffers ? next : InvalidBuffer;
}

static char *pin(heap_pages &pages, BlockNumber number) {
    const Buffer before = pages.pinned;
    if (BufferIsValid(pages.pinned))
        ::ReleaseBuffer(pages.pinned);
    pages.pinned = InvalidBuffer;
    pages.pinned = pin_page(pages, number);
    pages.expected = expect_next(before, pages.pinned);
    return static_cast<char *>(BufferGetPage(pages.pinned));
}

const char *next_page_of(const heap_pages &pages) {
    return BufferIsValid(pages.expected) ? static_cast<const char *>(BufferGetPage(pages.expected)) : nullptr;
}

char *lock_page(heap_pages &pages, BlockNumber number) {
    char *page = pin(pages, number);
    ::LockBuffer(pages.pinned, BUFFER_LOCK_SHARE);
    return page;
}

// Pins and locks the page, and returns it.
static char *open_page(heap_pages &pages, BlockNumber number) {
    char *page = pin(pages, number);
    ::heap_page_prune_opt(pages.heap, pages.pinned);
    ::LockBuffer(pages.pinned, BUFFER_LOCK_SHARE);
#if PG_VERSION_NUM < 170000
    ::TestForOldSnapshot(pages.snapshot, pages.heap, page);
#endif
    return page;
}

static bool is_all_visible(const heap_pages &pages, char *page) {
    return PageIsAllVisible(page) && !pages.snapshot->takenDuringRecovery;
}

page_rows read_page(heap_pages &pages, BlockNumber number) {
    char *page = open_page(pages, number);
    const ItemIdData *items = reinterpret_cast<PageHeader>(page)->pd_linp;
    const int item_count = static_cast<int>(PageGetMaxOffsetNumber(page));
    const bool all_visible = is_all_visible(pages, page);
    const bool look = !all_visible || pages.is_serializable;
    const char *next = next_page_of(pages);
    if (next) {
        kernel::fetch(next);
        kernel::fetch(next + BLCKSZ / 2);
    }
    // While the page is pinned, nobody moves its rows or changes their items; new ones come behind these.
    if (!look && are_normal(items, item_count)) {
        ::LockBuffer(pages.pinned, BUFFER_LOCK_UNLOCK);
        return {page, items, item_count, next};
    }
    const page_rows all{page, items, item_count, nullptr};
    const TransactionId oldest_running = pages.snapshot->xmin;
    int count = 0;
    for (int i = 0; i < item_count; i++) {
        all.ask_ahead(i);
        const ItemIdData item = items[i];
        pages.seen[count] = item;
        bool seen = ItemIdIsNormal(&item);
        if (seen && look) {
            const HeapTupleHeader row = reinterpret_cast<HeapTupleHeader>(page + item.lp_off);
            seen = (!pages.is_serializable && is_plainly_visible(row, oldest_running)) ||
                   is_visible(pages, all_visible, row, item.lp_len, number, static_cast<OffsetNumber>(i + 1));
        }
        count += seen;
    }
    ::LockBuffer(pages.pinned, BUFFER_LOCK_UNLOCK);
    return {page, pages.seen, count, next};
}

struct index_pages {
    TIDBitmap *bitmap;
    TBMIterator *iterator;
    const TBMIterateResult *page; // the last one
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
    pages->page = nullptr;
    return pages;
}

BlockNumber next_index_page(index_pages *pages) {
    pages->page = ::tbm_iterate(pages->iterator);
    return pages->page ? pages->page->blockno : InvalidBlockNumber;
}

namespace {

// The item of the row that the snapshot sees of those that an index entry leads to: it, or later versions on the page.
bool find_row(heap_pages &pages, char *page, bool all_visible, ItemPointerData place, ItemIdData &found) {
    found = *PageGetItemId(page, ItemPointerGetOffsetNumber(&place));
    if (!pages.is_serializable) {
        // Where all is visible, a row has one version, and nothing else has its place.
        if (all_visible && ItemIdIsRedirected(&found))
            found = *PageGetItemId(page, ItemIdGetRedirect(&found));
        if (all_visible)
            return ItemIdIsNormal(&found);
        const HeapTupleHeader row = reinterpret_cast<HeapTupleHeader>(page + found.lp_off);
        if (ItemIdIsNormal(&found) && !HeapTupleHeaderIsHeapOnly(row) && is_plainly_visible(row, pages.snapshot->xmin))
            return true;
    }
    HeapTupleData seen;
    if (!::heap_hot_search_buffer(&place, pages.heap, pages.pinned, pages.snapshot, &seen, nullptr, true))
        return false;
    found = *PageGetItemId(page, ItemPointerGetOffsetNumber(&place));
    return true;
}

} // namespace

page_rows read_found_rows(heap_pages &pages, const index_pages *found) {
    const TBMIterateResult &wanted = *found->page;
    if (wanted.ntuples < 0)
        return read_page(pages, wanted.blockno);
    char *page = open_page(pages, wanted.blockno);
    const bool all_visible = is_all_visible(pages, page);
    const OffsetNumber last = PageGetMaxOffsetNumber(page);
    int count = 0;
    for (int i = 0; i < wanted.ntuples; i++) {
        ItemPointerData place;
        ItemPointerSet(&place, wanted.blockno, wanted.offsets[i]);
        if (wanted.offsets[i] <= last && find_row(pages, page, all_visible, place, pages.seen[count]))
            count++;
    }
    ::LockBuffer(pages.pinned, BUFFER_LOCK_UNLOCK);
    return {page, pages.seen, count, nullptr};
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
