// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/keyed_rows.hpp"
#include "join/relation.hpp"

namespace etl::join {

// The rows of one key in all relations that are read before the one that drives.
struct partners {
    int matched; // inner relations that have a row of this key, in the order in which they are read
    HeapTupleHeader rows[];
};

// The key relations over a range of keys that fits the memory: all but the last in a map, the last page by page.
// Ranges follow each other until all keys have been covered.
struct pass {
    CustomScanState *scan;
    int count;           // key relations
    relation *relations; // in the order in which they are read; the last one drives
    int inner;           // that are not optional, the driving one aside
    bool has_list;
    pg::key_list list;      // if it has one: no other keys are asked for
    std::int64_t low, high; // this pass
    std::int64_t last;      // of all passes
    std::uint64_t width;    // of the next one
    bool is_first, is_open;
    keyed_rows gathered;
    page_walk walk;
    page_keys keys;
    std::size_t most_memory;
    std::int64_t passes;
};

void start_passes(pass &self);
// Goes on to the next page of the driving relation, and leaves the rows that have all partners: their numbers in `keys`
// and their partners beside. Returns how many, 0 at the end of all passes; or, if `within_pass`, at the end of this
// one, whose partners are forgotten when the next one begins.
int next_hits(pass &self, pg::page_rows &rows, partners **found, bool within_pass);
void stop_passes(pass &self);

} // namespace etl::join
