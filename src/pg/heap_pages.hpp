// Boundary: the rows of a heap page by page, past the executor. Everything here may ereport; locals are plain.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xlogdefs.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/snapshot.h"
}

namespace etl::pg {

// The most rows that a page can have.
constexpr int most_page_rows = static_cast<int>(MaxHeapTuplesPerPage);

// A walk over pages of a heap in any order. At most one page is pinned at a time.
struct heap_pages {
    Relation heap;
    Snapshot snapshot;
    BufferAccessStrategy strategy;
    BlockNumber count; // pages that there were when the walk began: the snapshot sees none of later ones
    Buffer pinned;
    Buffer expected;      // where the next page in order may be: pages read in order often lie so in the cache
    bool is_serializable; // then it is of note what is read, and what is not
    // Leaves pages as they are, unless a row asks for it that is seldom: whoever reads first what has changed marks it
    // as settled and frees what is dead, and each page that this touches goes to the write-ahead log as a whole.
    bool is_quiet;
    // Where a page was written last before this position of the write-ahead log, read_page() looks for no rows on it;
    // 0: for all that are there.
    XLogRecPtr written_since;
    ItemIdData seen[most_page_rows];
};

// `snapshot` is an MVCC snapshot that stays active for the length of the walk. whole: that goes over all pages, which is
// counted as a scan.
void begin_pages(heap_pages &pages, Relation heap, Snapshot snapshot, bool whole);
void end_pages(heap_pages &pages);

// The rows of a page that the snapshot sees. They stay where they are until the next page is read.
struct page_rows {
    char *page;
    const ItemIdData *items;
    int count;
    const char *next; // where the page that comes next may be; nothing but asking for it is allowed. NULL: unknown

    HeapTupleHeader operator[](int index) const noexcept {
        return reinterpret_cast<HeapTupleHeader>(page + items[index].lp_off);
    }
    std::uint32_t length(int index) const noexcept {
        return items[index].lp_len;
    }
    // Asks for a row that comes up soon, by whoever looks at one after the other: they lie in descending order.
    void ask_ahead(int index) const noexcept {
        constexpr int ahead = 16;
        if (index + ahead < count)
            __builtin_prefetch(page + items[index + ahead].lp_off);
    }
    // The same by whoever looks at all rows of all pages: asks for a piece of the next page, whose lines come in the
    // order in which the memory gives them fastest, and to the second cache, which takes more of them at a time.
    void ask_for_next(int index) const noexcept {
        constexpr int line = 64;
        if (!next)
            ask_ahead(index);
        else if (index < BLCKSZ / line)
            __builtin_prefetch(next + index * line, 0, 2);
    }
};

// A table that is large beside the cache must not push all else out of it.
BufferAccessStrategy strategy_for(BlockNumber pages);
// Pins a page; where it lies as expected, without a search for it. What was read in order often lies so in the cache.
Buffer pin_page(Relation heap, BlockNumber number, Buffer expected, BufferAccessStrategy strategy);
// The position in the log of the page's last write; 0 of a page that was never logged.
XLogRecPtr written_at(Buffer pinned);
// Where the page behind the one that is pinned may be, which came after the other.
Buffer expected_after(Buffer before, Buffer pinned);
// Pins the page and locks it in share mode, for who looks at all of its rows. The pin goes with the next page.
char *lock_page(heap_pages &pages, BlockNumber page);
// Where the page behind that one may be; nothing but asking for it is allowed. NULL: unknown
const char *next_page_of(const heap_pages &pages);

// Rows of an all-visible page are not looked at one by one.
page_rows read_page(heap_pages &pages, BlockNumber page);

struct index_pages;
// Of the page that comes next in pg/index_pages, only the rows that the index found and the snapshot sees; all that it
// sees where the memory did not suffice to note rows. Others are not even looked at.
page_rows read_found_rows(heap_pages &pages, const index_pages *found);

} // namespace etl::pg
