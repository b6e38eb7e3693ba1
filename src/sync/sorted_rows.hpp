// PG regime: the rows of a plan in the order of their column `lid`.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "nodes/params.h"
#include "nodes/plannodes.h"
#include "utils/snapshot.h"
#include "utils/tuplesort.h"
}

namespace etl::sync {

struct sorted_rows {
    TupleDesc columns;
    TupleTableSlot *row; // the one that next_of() came to, with all its values; after that what row it was
    TupleTableSlot *ahead;
    bool has_ahead;
    std::int64_t lid_ahead;
    AttrNumber lid;
    Oid lid_type;
    Tuplesortstate *sorted;
};

// Runs the plan to its end. Rows without a lid are left out.
sorted_rows sort_rows(PlannedStmt *plan, ParamListInfo parameters, Snapshot snapshot);
void end_rows(sorted_rows &rows);

// Whether the row that comes next is of the lid.
inline bool comes_next(const sorted_rows &rows, std::int64_t lid) noexcept {
    return rows.has_ahead && rows.lid_ahead == lid;
}
// Goes on to the row that comes next, if it is of the lid.
bool next_of(sorted_rows &rows, std::int64_t lid);
// The least lid that comes next in one of both; false at the end of both.
bool least_lid(const sorted_rows &left, const sorted_rows &right, std::int64_t &lid);

} // namespace etl::sync
