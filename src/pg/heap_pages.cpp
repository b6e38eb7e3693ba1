// Boundary: heap pages, as heapgetpage reads them. PostgreSQL 17 has no test for old snapshots any more.
#include "pg/heap_pages.hpp"

#include "kernel/fetch.hpp"
#include "pg/key_search.hpp"

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

BufferAccessStrategy strategy_for(BlockNumber pages) {
    return pages > static_cast<BlockNumber>(NBuffers) / 4 ? ::GetAccessStrategy(BAS_BULKREAD) : nullptr;
}

void begin_pages(heap_pages &pages, Relation heap, Snapshot snapshot) {
    pages.heap = heap;
    pages.snapshot = snapshot;
    pages.count = RelationGetNumberOfBlocks(heap);
    pages.strategy = strategy_for(pages.count);
    pages.pinned = pages.expected = InvalidBuffer;
    pages.is_serializable = IsolationIsSerializable();
    pages.is_quiet = false;
    pages.written_since = InvalidXLogRecPtr;
    ::PredicateLockRelation(heap, snapshot);
}

void count_as_scan(const heap_pages &pages) {
    pgstat_count_heap_scan(pages.heap);
}

void end_pages(heap_pages &pages) {
    if (BufferIsValid(pages.pinned))
        ::ReleaseBuffer(pages.pinned);
    if (pages.strategy)
        ::FreeAccessStrategy(pages.strategy);
}

Buffer pin_page(Relation heap, BlockNumber number, Buffer expected, BufferAccessStrategy strategy) {
#if PG_VERSION_NUM < 160000
    const RelFileNode &file = heap->rd_node;
#else
    const RelFileLocator &file = heap->rd_locator;
#endif
    if (BufferIsValid(expected) && ::ReadRecentBuffer(file, MAIN_FORKNUM, number, expected)) {
        pgstat_count_buffer_read(heap);
        pgstat_count_buffer_hit(heap);
        return expected;
    }
    return ::ReadBufferExtended(heap, MAIN_FORKNUM, number, RBM_NORMAL, strategy);
}

Buffer expected_after(Buffer pinned) {
    return pinned > 0 && pinned < NBuffers ? pinned + 1 : InvalidBuffer;
}

namespace {

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

enum class seen : std::uint8_t { yes, no, unknown };

// What HeapTupleSatisfiesMVCC would say, as far as it can be said without a mark on the row: not of rows of aborted
// transactions, of our own, and of those that several have locked.
seen look_quietly(HeapTupleHeader row, Snapshot snapshot) {
    const TransactionId made_by = HeapTupleHeaderGetRawXmin(row);
    if (!HeapTupleHeaderXminCommitted(row) && (HeapTupleHeaderXminInvalid(row) || (row->t_infomask & HEAP_MOVED) ||
                                               ::TransactionIdIsCurrentTransactionId(made_by)))
        return seen::unknown;
    if (!HeapTupleHeaderXminFrozen(row)) {
        if (::XidInMVCCSnapshot(made_by, snapshot))
            return seen::no;
        if (!HeapTupleHeaderXminCommitted(row) && !::TransactionIdDidCommit(made_by))
            return seen::unknown;
    }
    if ((row->t_infomask & HEAP_XMAX_INVALID) || HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask))
        return seen::yes;
    const TransactionId ended_by = HeapTupleHeaderGetRawXmax(row);
    if ((row->t_infomask & HEAP_XMAX_IS_MULTI) || ::TransactionIdIsCurrentTransactionId(ended_by))
        return seen::unknown;
    if (::XidInMVCCSnapshot(ended_by, snapshot))
        return seen::yes;
    return (row->t_infomask & HEAP_XMAX_COMMITTED) || ::TransactionIdDidCommit(ended_by) ? seen::no : seen::unknown;
}

bool is_visible(const heap_pages &pages, bool all_visible, HeapTupleHeader row, std::uint32_t length, BlockNumber page,
                OffsetNumber item) {
    if (pages.is_quiet && !pages.is_serializable)
        if (const seen told = look_quietly(row, pages.snapshot); told != seen::unknown)
            return told == seen::yes;
    HeapTupleData tuple;
    tuple.t_data = row;
    tuple.t_len = length;
    tuple.t_tableOid = RelationGetRelid(pages.heap);
    ItemPointerSet(&tuple.t_self, page, item);
    const bool visible = all_visible || ::HeapTupleSatisfiesVisibility(&tuple, pages.snapshot, pages.pinned);
    ::HeapCheckForSerializableConflictOut(visible, pages.heap, &tuple, pages.pinned, pages.snapshot);
    return visible;
}

} // namespace

// Pins and locks the page, and returns it.
static char *open_page(heap_pages &pages, BlockNumber number) {
    if (BufferIsValid(pages.pinned))
        ::ReleaseBuffer(pages.pinned);
    pages.pinned = InvalidBuffer;
    pages.pinned = pin_page(pages.heap, number, pages.expected, pages.strategy);
    pages.expected = expected_after(pages.pinned);
    if (!pages.is_quiet)
        ::heap_page_prune_opt(pages.heap, pages.pinned);
    ::LockBuffer(pages.pinned, BUFFER_LOCK_SHARE);
    char *page = static_cast<char *>(BufferGetPage(pages.pinned));
#if PG_VERSION_NUM < 170000
    ::TestForOldSnapshot(pages.snapshot, pages.heap, page);
#endif
    return page;
}

static bool is_all_visible(const heap_pages &pages, char *page) {
    return PageIsAllVisible(page) && !pages.snapshot->takenDuringRecovery;
}

// What was not logged has no position.
static bool was_written_before(const heap_pages &pages) {
    if (XLogRecPtrIsInvalid(pages.written_since))
        return false;
    const XLogRecPtr written = ::BufferGetLSNAtomic(pages.pinned);
    return !XLogRecPtrIsInvalid(written) && written <= pages.written_since;
}

page_rows read_page(heap_pages &pages, BlockNumber number) {
    char *page = open_page(pages, number);
    if (was_written_before(pages)) {
        ::LockBuffer(pages.pinned, BUFFER_LOCK_UNLOCK);
        return {page, pages.seen, 0, nullptr};
    }
    const ItemIdData *items = reinterpret_cast<PageHeader>(page)->pd_linp;
    const int item_count = static_cast<int>(PageGetMaxOffsetNumber(page));
    const bool all_visible = is_all_visible(pages, page);
    const bool look = !all_visible || pages.is_serializable;
    const char *next = BufferIsValid(pages.expected) ? page + BLCKSZ : nullptr;
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

namespace {

// The same along a HOT chain, as heap_hot_search_buffer goes it.
seen follow_quietly(const heap_pages &pages, char *page, OffsetNumber at, ItemIdData &found) {
    TransactionId before = InvalidTransactionId;
    for (bool is_first = true;; is_first = false) {
        if (at < FirstOffsetNumber || at > PageGetMaxOffsetNumber(page))
            return seen::no;
        found = *PageGetItemId(page, at);
        if (is_first && ItemIdIsRedirected(&found)) {
            at = static_cast<OffsetNumber>(ItemIdGetRedirect(&found));
            found = *PageGetItemId(page, at);
        } else if (is_first && ItemIdIsNormal(&found) &&
                   HeapTupleHeaderIsHeapOnly(reinterpret_cast<HeapTupleHeader>(page + found.lp_off))) {
            return seen::no;
        }
        if (!ItemIdIsNormal(&found))
            return seen::no;
        const HeapTupleHeader row = reinterpret_cast<HeapTupleHeader>(page + found.lp_off);
        if (TransactionIdIsValid(before) && before != HeapTupleHeaderGetXmin(row))
            return seen::no;
        if (const seen told = look_quietly(row, pages.snapshot); told != seen::no)
            return told;
        if (!HeapTupleHeaderIsHotUpdated(row))
            return seen::no;
        at = ItemPointerGetOffsetNumber(&row->t_ctid);
        before = HeapTupleHeaderGetUpdateXid(row);
    }
}

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
    if (pages.is_quiet && !pages.is_serializable)
        if (const seen told = follow_quietly(pages, page, ItemPointerGetOffsetNumber(&place), found);
            told != seen::unknown)
            return told == seen::yes;
    HeapTupleData row;
    if (!::heap_hot_search_buffer(&place, pages.heap, pages.pinned, pages.snapshot, &row, nullptr, true))
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
