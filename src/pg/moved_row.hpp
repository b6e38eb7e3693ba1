// Boundary: rows that come from another table, with values that lie out of line there. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/htup.h"
#include "utils/rel.h"
}

namespace etl::pg {

// Where a row has long values that lie in another table's TOAST table, and needs no further toasting, copies them to the
// target's, as they are stored there, and lets the row point to the copies. The row is the caller's, and is then to be
// written as it is, next of all. False, and nothing done, where only the table's own toaster can do it: that one would
// try once more to compress what was stored uncompressed, which takes longer than all else about a row. `options` are
// those of heap_insert.
bool move_values(Relation target, HeapTuple row, int options);

// Inserts such a row: as heap_insert does it, but that it does not go through the toaster. Its header needs no more than
// length, null bitmap and attributes.
void insert_moved_row(Relation target, HeapTuple row, CommandId command, int options, BulkInsertState bulk);

// Sets the header's fields for a row that the current transaction inserts.
void mark_inserted(Relation target, HeapTuple row, CommandId command);

} // namespace etl::pg
