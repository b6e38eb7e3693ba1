// Boundary: B-trees built by PostgreSQL from rows that are gathered and put in order for it.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// Makes an index in the catalog, as the statement CREATE INDEX says, of a table that the current user owns, and locks
// the table in SHARE mode; fill_indexes() must follow in the same transaction. To be taken for B-trees on columns.
Oid create_unfilled_index(Oid table, const char *statement);

// Fills such indexes of one table: reads it once for all of them where `memory` (bytes) has room for what they need of
// its rows, else once for each, some rows at a time. Returns how many rows the table has. 23505 as CREATE INDEX says
// it.
std::int64_t fill_indexes(Oid table, const Oid *indexes, int count, std::size_t memory);

} // namespace etl::pg
