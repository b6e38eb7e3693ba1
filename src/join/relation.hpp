// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/layout.hpp"
#include "join/take_apart.hpp"
#include "pg/heap_pages.hpp"
#include "pg/index_pages.hpp"

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/plannodes.h"
#include "utils/rel.h"
}

namespace etl::join {

struct columns {
    int count;
    column *list;
    taking_apart plan;
};

// A relation of the join at work: which of its columns go where in the joined row, and which rows count.
struct relation {
    const member *part;
    Relation heap;
    TupleDesc rows;
    columns needed;
    columns filtered;  // those that the filter reads
    ExprState *filter; // over the joined row, of which it reads this relation's columns
};

// The scan's own state has its joined row and expression context already.
void open_relation(relation &opened, const member &part, CustomScanState *scan, List *filter);

// Whether a row passes the filter. Leaves the filter's columns in the joined row.
bool passes(const relation &self, HeapTupleHeader row, CustomScanState *scan);
// Puts a row's columns, or NULL for all of them, into the joined row. The row must stay where it is as long as these
// are used.
void fill(const relation &self, HeapTupleHeader row, TupleTableSlot *joined);
void fill_null(const relation &self, TupleTableSlot *joined);

std::int64_t key_of(Datum value, Oid type);
// The integer in a column of a row; false if it is NULL.
bool read_integer(const relation &self, HeapTupleHeader row, std::uint32_t length, AttrNumber column, Oid type,
                  std::int64_t &value);

// The rows of a page whose keys are from `low` to `high`, by their numbers on the page.
struct page_keys {
    int count;
    int number[pg::most_page_rows];
    std::int64_t key[pg::most_page_rows];
};
void read_keys(const relation &self, const pg::page_rows &rows, std::int64_t low, std::int64_t high, page_keys &keys);

// A walk over the pages with rows from `low` to `high`, in physical order; or over all pages.
struct page_walk {
    pg::heap_pages pages;
    pg::index_pages *found; // null: all
    BlockNumber next;
};
void begin_walk(page_walk &walk, const relation &self, std::int64_t low, std::int64_t high, bool whole,
                Snapshot snapshot);
// A walk over the pages with rows of some keys.
void begin_walk(page_walk &walk, const relation &self, const pg::key_list &keys, Snapshot snapshot);
bool next_page(page_walk &walk, pg::page_rows &rows);
void end_walk(page_walk &walk);

} // namespace etl::join
