// Boundary: index entries of many rows at a time, page by page. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/execnodes.h"
#include "storage/itemptr.h"
}

namespace etl::pg {

struct key_entry {
    std::int64_t key;
    ItemPointerData row;
};

// Whether a table that is open for writing has one index, a B-tree, unique on a bigint and on nothing else.
bool takes_key_entries(const ResultRelInfo *table);

// Enters rows that have just been inserted, in ascending order of their keys, each of which comes once. What goes to a
// page goes there at once and with one record of the log, which is the page: what it costs to enter a row alone is
// mostly the way to the page, not the entry. 23505 where a key is taken, after waiting for whoever has just inserted
// it.
void insert_key_entries(ResultRelInfo *table, const key_entry *entries, std::size_t count);

} // namespace etl::pg
