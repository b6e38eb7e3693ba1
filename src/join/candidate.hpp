// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/layout.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace etl::join {

// A base relation while its part in the join is found out.
struct candidate {
    RelOptInfo *planned;
    const char *name;
    bool optional; // the nullable side of a LEFT JOIN, alone there
    bool has_part;
    member part;
    List *filters; // what of its own conditions has to be evaluated
    double width;  // bytes of a row
    double read;   // rows in the range of keys, before they are filtered
    double rows;   // of these that pass
};

// Why a relation can't be read by us, or null.
const char *obstacle_of(const PlannerInfo *root, const candidate &read);

// The unique index on that column alone, or InvalidOid.
Oid unique_index(const RelOptInfo *planned, AttrNumber column);

// Splits the relation's conditions into a range of its key and filters, and, if `keys` is null, a list of keys, for
// that to point to: a bigint[] that those of all key relations must be among. Null or an obstacle.
const char *take_conditions(PlannerInfo *root, candidate &read, Const *&keys);

// So many keys are asked for, wherever they are.
void limit_to_list(candidate &read, int keys);

} // namespace etl::join
