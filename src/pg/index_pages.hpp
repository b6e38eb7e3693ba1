// Boundary: pages of a heap in which an index finds rows, in physical order. Everything here may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/tidbitmap.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace etl::pg {

// Pages of its heap in which an index finds rows with low <= key <= high, in physical order; a page may be among them
// without need, so that the memory is bounded by work_mem.
struct index_pages {
    TIDBitmap *bitmap;
    TBMIterator *iterator;
    const TBMIterateResult *page; // the last one
};
index_pages *begin_index_pages(Oid index, std::int64_t low, std::int64_t high, Snapshot snapshot);
// The same for the rows of some keys, which rise, of a B-tree.
struct key_list {
    const std::int64_t *keys;
    int count;
};
index_pages *begin_index_pages(Oid index, const key_list &keys, Snapshot snapshot);
// The same for the rows that have no value, or one that is not below, in an index that index_led_by() gave.
index_pages *begin_index_pages_since(Oid index, std::int64_t low, Snapshot snapshot);
// InvalidBlockNumber at the end.
BlockNumber next_index_page(index_pages *pages);
void end_index_pages(index_pages *pages);

// A valid B-tree or BRIN index that has `column`, a bigint or timestamp with time zone, first and every row of the
// heap; InvalidOid if there is none.
Oid index_led_by(Relation heap, AttrNumber column);

} // namespace etl::pg
