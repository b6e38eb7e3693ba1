// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/htup.h"
#include "access/tupdesc.h"
}

namespace etl::load {

// Makes heap rows of one table from values, as heap_form_tuple does, but in one pass over steps that were laid down
// beforehand, and one row behind the other in memory that is used again.
struct former;

// In the current context. The row type must last as long as it does.
former *create_former(TupleDesc columns);

// A row of these values, one for each attribute; dropped ones are NULL. It stays until reset_rows().
HeapTuple form_row(former *self, const Datum *values, const bool *nulls);

void reset_rows(former *self);

} // namespace etl::load
