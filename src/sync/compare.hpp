// PG regime: the rows of a partition beside those that its source view gives.
#pragma once

#include "plan/lid_range.hpp"

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/plannodes.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"
}

namespace etl::sync {

struct comparison {
    Oid view;
    Oid partition;
    plan::key_bounds bounds;
    Datum lids;       // a bigint[], where the bounds are of lids
    const char *held; // SELECT of the partition's rows in the bounds, in the columns that the view gives
    // Where each range but the first begins of which counts are wanted, rising: a lid's range is as many bounds as are
    // not above it.
    const std::int64_t *ranges;
    std::size_t range_count; // of bounds
    bool anew;               // a row that differs goes and comes
};

// What becomes of a range.
struct range_change {
    std::int64_t gone, come; // rows; one that is changed is both
    std::uint64_t digest;    // modulo 2^64
};

struct differences {
    TupleDesc given;                 // the columns that the view gives
    Tuplestorestate *gone;           // lids of which the partition's rows are to go
    Tuplestorestate *changed, *came; // rows as they should be
    std::int64_t gone_count, changed_count, came_count;
    std::int64_t lids;     // that differ
    range_change *changes; // of each range
    // All rows that the view gives.
    std::int64_t rows;
    std::uint64_t digest;
};

// Plans of both sides. All that they read is locked then.
struct sides {
    PlannedStmt *fresh, *held;
    ParamListInfo parameters;
};
sides plan_sides(const comparison &wanted);

// Reads both sides as the snapshot sees them, in the order of lids, and tells them apart. It is the active one, and was
// taken after the locks: a table that was rewritten before them has no rows for older ones. Rows of a lid that has one
// on each side are equal where all their values are, byte by byte, or else changed, or, where that is wished, go and
// come; all rows of other lids go or come. Takes memory of work_mem, for a while, and what differs. In the current
// context.
differences compare(const comparison &wanted, const sides &planned, Snapshot snapshot);

} // namespace etl::sync
