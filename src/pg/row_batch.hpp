// Boundary: new rows of a heap, a page's worth at a time. All of it may ereport.
#pragma once

#include "pg/log_writer.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "access/hio.h"
#include "access/htup_details.h"
#include "executor/tuptable.h"
}

namespace etl::pg {

struct new_pages;

// Rows that lie ready in memory, as many as a new page takes, and pages for them: taken from the heap's end some at a
// time, as each try for the lock that this needs costs more than a page does. One record of the log is written a page.
// Lasts as long as the memory context that it was made in.
struct row_batch {
    static constexpr int most_rows = static_cast<int>(MaxHeapTuplesPerPage);

    Relation heap;
    int count;             // of rows
    int limit;             // of rows
    bool fills_gaps;       // rows go to whatever page has room, as those of tables do from which rows are deleted
    std::size_t page_room; // on an empty page, less what fillfactor keeps
    std::size_t room;      // what the rows leave of it
    HeapTupleData *rows;
    TupleTableSlot **slots; // of the rows; after write_rows() they say where these are
    new_pages *pages;       // or null
    log_pace log;
};
row_batch *begin_rows(Relation heap, int limit, bool fills_gaps = false);

// Whether a row of so many bytes fits, too; to an empty batch it does.
inline bool takes_row(const row_batch *batch, std::size_t length) noexcept {
    return batch->count == 0 || (batch->count < batch->limit && MAXALIGN(length) + sizeof(ItemIdData) <= batch->room);
}

// The row stays where it is until it is written, and has its data and null bits; the rest of its head is set then.
void add_row(row_batch *batch, HeapTupleHeader row, std::size_t length) noexcept;

// Inserts the rows, which is what the batch then still has, until clear_rows(). `to_come`: how many rows may follow.
void write_rows(row_batch *batch, std::size_t to_come);
void clear_rows(row_batch *batch) noexcept;

// Leaves what pages are left to others.
void end_rows(row_batch *batch);

} // namespace etl::pg
