// Boundary: heap pages, as heapgetpage reads them. PostgreSQL 17 has no test for old snapshots any more.
#include "pg/heap_pages.hpp"

#include "kernel/fetch.hpp"
#include "pg/index_pages.hpp"
#include "pg/quiet_look.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

BufferAccessStrategy strategy_for(BlockNumber pages) {
    return pages > static_cast<BlockNumber>(NBuffers) / 4 ? ::GetAccessStrategy(BAS_BULKREAD) : nullptr;
}

void begin_pages(heap_pages &pages, Relation heap, Snapshot snapshot, bool whole) {
    pages.heap = heap;
    pages.snapshot = snapshot;
    pages.count = RelationGetNumberOfBlocks(heap);
    pages.strategy = strategy_for(pages.count);
    pages.pinned = pages.expected = InvalidBuffer;
    pages.is_serializable = IsolationIsSerializable();
    pages.is_quiet = false;
    pages.written_since = InvalidXLogRecPtr;
    ::PredicateLockRelation(heap, snapshot);
    if (whole)
        pgstat_count_heap_scan(heap);
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

// Its two halves may be of two writes if nothing is locked: what BufferGetLSNAtomic locks, it locks only where marks on rows
// are logged.
XLogRecPtr written_at(Buffer pinned) {
    if (XLogHintBitIsNeeded())
        return ::BufferGetLSNAtomic(pinned);
    ::LockBuffer(pinned, BUFFER_LOCK_SHARE);
    const XLogRecPtr position = PageGetLSN(BufferGetPage(pinned));
    ::LockBuffer(pinned, BUFFER_LOCK_UNLOCK);
    return position;
}

// Pages lie in the order in which they came into the cache: often one behind the other; one before the other where they
// got the places of a table that was dropped, which are given out from the last one on.
Buffer expected_after(Buffer before, Buffer pinned) {
    const Buffer next = pinned == before - 1 ? pinned - 1 : pinned + 1;
    return pinned > 0 && next > 0 && next <= NBuffers ? next : InvalidBuffer;
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

static char *turn_to(heap_pages &pages, BlockNumber number) {
    const Buffer before = pages.pinned;
    if (BufferIsValid(pages.pinned))
        ::ReleaseBuffer(pages.pinned);
    pages.pinned = InvalidBuffer;
    pages.pinned = pin_page(pages.heap, number, pages.expected, pages.strategy);
    pages.expected = expected_after(before, pages.pinned);
    return static_cast<char *>(BufferGetPage(pages.pinned));
}

const char *next_page_of(const heap_pages &pages) {
    return BufferIsValid(pages.expected) ? static_cast<const char *>(BufferGetPage(pages.expected)) : nullptr;
}

char *lock_page(heap_pages &pages, BlockNumber number) {
    char *page = turn_to(pages, number);
    ::LockBuffer(pages.pinned, BUFFER_LOCK_SHARE);
    return page;
}

// Locks the page that was turned to, and returns it.
static char *open_page(heap_pages &pages) {
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

// What was not logged has no position. Whoever writes to the page now has not committed as our snapshot sees it, so no
// lock is needed.
static bool was_written_before(const heap_pages &pages) {
    if (XLogRecPtrIsInvalid(pages.written_since))
        return false;
    constexpr int ahead = 8;
    if (pages.pinned > 0 && pages.pinned + ahead <= NBuffers)
        kernel::fetch(BufferGetPage(pages.pinned + ahead));
    const XLogRecPtr written = written_at(pages.pinned);
    return !XLogRecPtrIsInvalid(written) && written <= pages.written_since;
}

page_rows read_page(heap_pages &pages, BlockNumber number) {
    turn_to(pages, number);
    if (was_written_before(pages))
        return {nullptr, pages.seen, 0, nullptr};
    char *page = open_page(pages);
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
    if (pages.is_quiet && !pages.is_serializable)
        if (const seen told = follow_quietly(page, ItemPointerGetOffsetNumber(&place), pages.snapshot, found);
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
    turn_to(pages, wanted.blockno);
    char *page = open_page(pages);
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

} // namespace etl::pg
