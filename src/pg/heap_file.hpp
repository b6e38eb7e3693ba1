// Boundary: the file of a heap, a segment of it at a time. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "storage/fd.h"
#include "utils/rel.h"
}

namespace etl::pg {

// It is closed with the memory context that was current when it was made.
struct heap_file {
    Relation heap;
    MemoryContextCallback close;
    File file; // of that segment, or negative
    BlockNumber segment;
};

void begin_file(heap_file *file, Relation heap);

// Opens the segment, makes it if it is not there.
void open_segment(heap_file *file, BlockNumber segment);

// What the log, and requests to sync a file, call it by.
#if PG_VERSION_NUM >= 160000
inline RelFileLocator *name_of_file(Relation heap) {
    return &heap->rd_locator;
}
#else
inline RelFileNode *name_of_file(Relation heap) {
    return &heap->rd_node;
}
#endif

} // namespace etl::pg
