// PG regime: the events of a page, as the fold wants them.
#pragma once

#include "fold/log.hpp"
#include "pg/heap_pages.hpp"

namespace etl::fold {

// How the three columns are found in a row of one table.
struct row_layout {
    kernel::price_format format;
    bool day_is_date;
    TupleDesc columns;
    AttrNumber lid, price, dt;
    bool is_simple; // lid is fixed; then price comes first, and dt is fixed or next
    int last;       // the highest of the three
    int fixed;      // columns at the start that stand at the same place in every row without NULLs
    int fixed_end;  // where the next one begins, before alignment
    int lid_offset; // -1 where lid is not among them
    int day_offset;
};
row_layout layout_of(const log_leaf &leaf, const price_log &log);

// Countable events, column-major. A price without a code is `wide`: it lies on the page.
struct event_batch {
    int count;
    std::int64_t lid[pg::most_page_rows];
    std::int64_t day[pg::most_page_rows];
    std::int64_t price[pg::most_page_rows];
    struct varlena *wide[pg::most_page_rows]; // where price is kernel::no_code
};

// Gathers the events with low <= lid <= high of a page; NULL in any column does not count.
void gather_events(const row_layout &layout, const pg::page_rows &rows, std::int64_t low, std::int64_t high,
                   event_batch &batch);

} // namespace etl::fold
