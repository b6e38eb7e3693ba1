// C++ regime: what a plan wants to know of a source view.
#pragma once

#include "pg/error.hpp"
#include "plan/lid_range.hpp"

namespace etl::plan {

// SELECT of the view's rows in the range, in the target's columns, with the range on every table of it. of_lids: only
// of the lids of the range that the statement's parameter $1, a bigint[], has.
pg::string source_sql(Oid view, Oid target, const lid_range &range, bool of_lids = false);

// What a chunk of the view would be.
struct chunk_outlook {
    double row_width;     // bytes that the planner expects of a row, header included
    pg::string join; // how the sources are joined, and why not by the key join
};
chunk_outlook look_at_chunk(Oid view, Oid target);

} // namespace etl::plan
