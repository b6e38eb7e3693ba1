// PG regime: adds a lid range to a query, on every table whose column is equal to the key.
#pragma once

#include "pg/postgres.hpp"
#include "plan/lid_range.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace etl::plan {

// True if quals may be added to the query itself: a plain join, whose rows do not depend on one another.
bool can_restrict(const Query *query);

// Restricts the query, in place, to rows whose output column `key` is in the bounds, and drops its ORDER BY.
// The range goes to each column that the joins make equal to the key: PostgreSQL spreads a constant over such columns
// for `=`, but not for `<`. Returns false, with the query as it was, where `key` is not a plain column.
bool restrict_key(Query *query, const TargetEntry *key, const key_bounds &bounds);

// The columns (Var) of the query's own relations that equal its output column `key` wherever they are not NULL; NIL where
// `key` is not a plain column. The query must be one that can be restricted.
List *key_columns(Query *query, const TargetEntry *key);

// `operand` >= from AND < to AND = ANY ($1), as far as the bounds say so, or IS NOT NULL where they say nothing: rows
// without a key belong to no range, however the ranges are cut. The operand is of a type that compares with bigint.
List *range_quals(const Expr *operand, const key_bounds &bounds);

} // namespace etl::plan
