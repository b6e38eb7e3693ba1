// Boundary: whether a snapshot sees a row, told without a mark on it: no hint bits, so that the page stays as it is.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/htup_details.h"
#include "storage/bufpage.h"
#include "utils/snapshot.h"
}

namespace etl::pg {

enum class seen : std::uint8_t { yes, no, unknown };

// What HeapTupleSatisfiesMVCC would say. Not known of rows of aborted transactions, of our own, and of those that
// several have locked. The page is locked.
seen look_quietly(HeapTupleHeader row, Snapshot snapshot);

// The same along a HOT chain, as heap_hot_search_buffer goes it; the item of the row that is seen.
seen follow_quietly(char *page, OffsetNumber at, Snapshot snapshot, ItemIdData &found);

} // namespace etl::pg
