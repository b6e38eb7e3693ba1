// PG regime: puts formed rows into a plain heap table. Which way is a setting, etl.write_mode.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/htup.h"
#include "utils/rel.h"
}

namespace etl::load {

// What takes the rows of one chunk. It lives in the memory context that was current when it was opened.
struct row_writer {
    void (*write)(row_writer *self, HeapTuple *rows, int count);
    void (*finish)(row_writer *self);
};

// A writer to `target`, which has neither indexes nor triggers; the caller holds ROW EXCLUSIVE on it and has checked
// its constraints. Rows belong to the current transaction and command; nothing but its commit makes them visible, so an
// error at any point is the transaction's abort, and dead rows are all that it leaves.
row_writer *open_writer(Relation target);

// Takes `count` rows whose headers need no more than length, null bitmap and attributes; the writer sets the rest. Rows
// and what they are in must last until the call returns, no longer. The table's code leaks into the current context:
// reset that now and then.
inline void write_rows(row_writer *writer, HeapTuple *rows, int count) {
    writer->write(writer, rows, count);
}

// Writes what is left. A writer that is not finished has written nothing that counts.
inline void finish_writer(row_writer *writer) {
    writer->finish(writer);
}

} // namespace etl::load
