// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/hits.hpp"

extern "C" {
#include "access/genam.h"
#include "access/skey.h"
}

namespace etl::join {

// A dimension: its rows one by one through its index, each once, as long as the memory holds them; or all in advance,
// where they are few beside the rows to be joined.
struct dimension {
    relation table;
    int led_by; // place of the column in the joined row that holds its key
    int leader; // place of the relation that this column is of
    Relation index;
    IndexScanDesc search;
    ScanKeyData key;
    TupleTableSlot *fetched;
    keyed_rows known;
    bool knows_all; // what is not known is not there
};

void open_dimension(dimension &opened, const member &part, CustomScanState *scan, List *filter);
// In the context given, which is the current one and lives until the end.
void start_looking_up(dimension &self, CustomScanState *scan, MemoryContext memory);
// Has the rows that a batch of hits leads to on their way to the cache.
void prefetch_rows(const dimension &self, const hits &batch, const pass &keys);
// Puts the columns of the row that belongs to the joined row into it, or NULLs; false if the joined row is none then.
bool look_up(dimension &self, CustomScanState *scan);
// Forgets what it knows if that is too much. The joined row is invalid after that.
void keep_within_memory(dimension &self);
void stop_looking_up(dimension &self);

} // namespace etl::join
