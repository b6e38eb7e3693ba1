// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
}

namespace etl::function {

// How the rows of one type are digested: what is told apart is names of columns and values, not where a column stands,
// nor how its value is stored. A NULL is as good as a column that is not there.
struct row_digester;

// In the current context. columns: which attributes count, from 0; NULL for all but dropped ones.
row_digester *create_row_digester(TupleDesc row, const Bitmapset *columns);

// Takes memory only while it looks at a value that is compressed or out of line.
std::uint64_t digest_row(const row_digester *self, const Datum *values, const bool *nulls);

} // namespace etl::function
