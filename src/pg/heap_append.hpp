// Boundary: whole pages of rows at the end of a heap, past the shared buffers. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace etl::pg {

// Where a heap grows. It goes, and closes what it has open, with the memory context that was current when it was made.
struct heap_end;

// False where pages have to go through the heap's own code: other table access methods; tables that are not logged, or
// not now; wal_level = logical, since decoding sees rows in records of rows and none in images of pages.
bool takes_pages(Relation heap);

heap_end *open_heap_end(Relation heap);

// Writes `count` pages, which lie one after the other, to the end of the heap. They hold nothing but rows of the
// current transaction; place, log position and checksum are set here. The pages are logged, and their log is on disk,
// before any of them is in the heap, and they are all of them there when others see that it has grown: until then
// others that want to extend it wait. Whatever fails, at most rows of a transaction that aborts remain. The caller
// holds ROW EXCLUSIVE.
void append_pages(heap_end *end, char *pages, int count);

} // namespace etl::pg
