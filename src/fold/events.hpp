// PG regime: the events of a page, as the fold wants them.
#pragma once

#include "fold/event_coding.hpp"
#include "pg/heap_pages.hpp"

namespace etl::fold {

// How the three columns are found in a row of one table.
struct row_layout {
    event_coding coding;
    TupleDesc columns;
    AttrNumber lid, price, dt;
    bool is_simple; // lid is fixed; then price comes first, and dt is fixed or next
    int last;       // the highest of the three
    int fixed;      // columns at the start that stand at the same place in every row without NULLs
    int fixed_end;  // where the next one begins, before alignment
    int lid_offset; // -1 where lid is not among them
    int day_offset;
    int price_offset;
    int price_length; // as pg_attribute has it
};
// False where a column is missing or of a type that no log has.
bool find_layout(TupleDesc columns, row_layout &layout);

struct price_event {
    std::int64_t lid, day, price;
    struct varlena *wide; // the price where it has no code, else NULL; it lies in the row
};
// False for an event that does not count: lid, day or price is NULL.
bool read_event(const row_layout &layout, HeapTupleHeader row, price_event &event);

// Countable events, column-major.
struct event_batch {
    int count;
    std::int64_t lid[pg::most_page_rows];
    std::int64_t day[pg::most_page_rows];
    std::int64_t price[pg::most_page_rows];
    struct varlena *wide[pg::most_page_rows];
    bool has_wide; // some price has no code
};

// Gathers the events with low <= lid <= high of a page; NULL in any column does not count.
void gather_events(const row_layout &layout, const pg::page_rows &rows, std::int64_t low, std::int64_t high,
                   event_batch &batch);

} // namespace etl::fold
