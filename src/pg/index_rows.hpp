// Boundary: what indexes need to know of a heap's rows, gathered in memory. All of it may ereport.
#pragma once

#include "kernel/key_order.hpp"
#include "pg/heap_pages.hpp"
#include "pg/value_set.hpp"

namespace etl::pg {

struct index_column {
    int attribute; // from 0
    bool by_value;
    std::uint64_t *values; // what is a Datum; else of a distinct_value
    bool *nulls;
    value_set distinct; // of what is no Datum
};

// How to get over a value of the heap.
struct attribute_step {
    std::int16_t length;
    std::uint16_t alignment;
};

// Some columns of rows that every transaction sees, and that are no part of a chain of updates, as rows of a table are
// that was filled and is locked. Pages on which others lie are noted.
struct index_rows {
    MemoryContext memory; // of its own
    int column_count;
    index_column *columns; // by attribute
    attribute_step *steps;
    int attributes; // of the heap
    int tail;       // the first of those at the end that all take eight bytes, or are NULL: they are found from there
    std::size_t count, capacity;
    ItemPointerData *places;
    kernel::keyed_place *order[2]; // room to put the rows in order
    BlockNumber *odd;              // pages
    std::size_t odd_count, odd_capacity;
    std::size_t bytes, limit;
};

// For the columns of the indexes; `limit` is what it may take, in bytes.
index_rows *begin_index_rows(Relation heap, const Relation *indexes, int count, std::size_t limit);
void end_index_rows(index_rows *rows);

// The place among the rows' columns.
int find_column(const index_rows *rows, AttrNumber attribute);

// Gathers from the page `from` on, and returns the first that it did not come to, since there was no room left, or the
// number of pages. Nobody else writes to the table meanwhile.
BlockNumber gather_rows(index_rows *rows, heap_pages &pages, BlockNumber from);
void forget_rows(index_rows *rows);

} // namespace etl::pg
