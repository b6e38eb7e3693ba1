// C++ regime: what a plan wants to know of a source view.
#pragma once

#include "pg/error.hpp"
#include "plan/lid_range.hpp"

namespace etl::plan {

// SELECT of the view's rows in the range, in the target's columns, with the range on every table of it.
pg::string source_sql(Oid view, Oid target, const lid_range &range);

// Bytes that the planner expects of a row, header included.
double row_width(Oid view, Oid target);

} // namespace etl::plan
