// Boundary: giving a view its query without CREATE VIEW.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace etl::pg {

// Replaces what the view shows by an analysed query with columns of the same names and types. Needs ownership of the
// view but no right on its schema, which CREATE OR REPLACE VIEW would demand, and analyses nothing again.
void set_view_query(Oid view, Query *query);

} // namespace etl::pg
