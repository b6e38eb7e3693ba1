// Boundary: a set-returning function whose rows are those of a query.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// Runs the query as the current user, with the caller's settings, and returns its rows, of the types that the function
// declares. They go straight to where the caller reads them, in work_mem and beyond on disk.
void return_query(FunctionCallInfo fcinfo, const string &query);

} // namespace etl::pg
