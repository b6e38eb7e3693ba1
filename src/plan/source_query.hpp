// PG regime: a source view as a query of its own: one lid range of it, in the columns of the table it fills.
#pragma once

#include "join/offer.hpp"
#include "plan/key_range.hpp"

extern "C" {
#include "nodes/plannodes.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
}

namespace etl::plan {

enum class row_shape {
    given,   // the columns that the view gives, in the target's order, under the target's names
    physical // one for each attribute of the target: NULL for dropped ones and those that the view does not give
};

// The view's query for the lids in the bounds, each column coerced to the target's as an INSERT would. Where the view
// is a plain join, the range is on every table of it (see restrict_key), else the view is left to PostgreSQL as a
// whole. Relations are checked against the current user's rights. Takes ACCESS SHARE on the view and its relations.
// 42P01 if the view is gone, 42703 if the target lacks a column of it, 42804 if one can't be assigned.
Query *source_query(Oid view, Relation target, const key_bounds &bounds, row_shape shape);

// The same as SQL text that runs as it stands.
char *source_query_text(Oid view, Oid target, const key_bounds &bounds);

// Rewrites and plans such a query, which it may scribble on, with a key join where it has the shape for one. text: what
// error reports and monitoring shall call it. parameters: those that the plan may take for constants; may be null.
join::planned plan_source_query(Query *query, const char *text, ParamListInfo parameters = nullptr);

// Opens a table or view that a plan relies on; raises 42P01 with a hint where it has been dropped.
Relation open_planned(Oid relation, LOCKMODE mode, const char *what);

} // namespace etl::plan
