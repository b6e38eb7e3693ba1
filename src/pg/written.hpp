// Boundary: what pages tell of when a table was written.
#pragma once

#include "pg/memory.hpp"

namespace etl::pg {

// A place in the write-ahead log: what was written before it, transactions with lower numbers than `next` have written.
struct log_place {
    string position; // as text of a pg_lsn
    string next;     // as text of an xid8
};
log_place log_place_now();

// Whether all rows of a table were written before a position of the log. Each write to a page leaves its position there;
// what was not logged has none, and counts as written since. Of anything but a plain table by itself it can't be told.
// Where the visibility map does not tell, it looks at `most_pages` at most. The caller has a lock on the relation.
bool is_unwritten_since(Oid relation, std::uint64_t position, std::int64_t most_pages);

// Whether the current user may read all of the relation and no policy hides rows of it: then reading none of it leaves out
// no error.
bool may_read_all(Oid relation);

// How many pages whoever looks for values of the column has to read: none where there is an index for that. Empty where
// it can't be told.
std::optional<std::int64_t> pages_to_search(Oid relation, const char *column);

} // namespace etl::pg
