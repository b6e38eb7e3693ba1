// Boundary: the rows of a heap page by page, past the executor. Everything here may ereport; locals are plain.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/relscan.h"
#include "storage/bufmgr.h"
#include "utils/snapshot.h"
}

namespace etl::pg {

// A walk over pages of a heap in any order. At most one page is pinned at a time.
struct heap_pages {
    TableScanDesc scan;
    BlockNumber count; // pages that there were when the walk began: the snapshot sees none of later ones
};

// `snapshot` is an MVCC snapshot that stays active for the length of the walk.
heap_pages begin_pages(Relation heap, Snapshot snapshot);
void end_pages(heap_pages &pages);

// Reads a page and returns how many of its rows the snapshot sees. Rows of an all-visible page are not looked at one by
// one. They stay where they are until the next call.
int read_page(heap_pages &pages, BlockNumber page);

// Row 0 <= index < read_page() of the page that was read last.
struct page_row {
    HeapTupleHeader header;
    std::uint32_t length;
};
page_row row_of_page(const heap_pages &pages, int index) noexcept;

// The most rows that a page can have.
constexpr int most_page_rows = static_cast<int>(MaxHeapTuplesPerPage);

// Pages of its heap in which an index finds rows with low <= key <= high, in physical order; a page may be among them
// without need, so that the memory is bounded by work_mem.
struct index_pages;
index_pages *begin_index_pages(Oid index, std::int64_t low, std::int64_t high, Snapshot snapshot);
// InvalidBlockNumber at the end.
BlockNumber next_index_page(index_pages *pages);
void end_index_pages(index_pages *pages);

// A valid B-tree or BRIN index that has `column`, a bigint, first and every row of the heap; InvalidOid if there is none.
Oid index_led_by(Relation heap, AttrNumber column);

} // namespace etl::pg
