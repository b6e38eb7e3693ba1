// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/arena.hpp"
#include "kernel/key_map.hpp"

extern "C" {
#include "access/htup_details.h"
}

namespace etl::join {

// Things in memory, found by a key.
struct keyed_rows {
    arena memory;
    MemoryContext context; // of the map's slots
    kernel::key_map map;
};

keyed_rows create_keyed_rows(MemoryContext context);
// Forgets all of it.
void reset(keyed_rows &rows);
// The key is not there yet.
void add(keyed_rows &rows, std::int64_t key, void *value);
// Copies a row; the copy knows its length as a composite value does, and nothing of who may see it.
HeapTupleHeader keep_row(keyed_rows &rows, const HeapTupleHeaderData *row, std::uint32_t length);
// What they need, whatever more is held for the next ones.
std::size_t memory_of(const keyed_rows &rows) noexcept;

// The least key, and the one that has half of them below it; there is at least one.
struct key_sample {
    std::int64_t least, median;
};
key_sample sample_keys(const keyed_rows &rows);

} // namespace etl::join
