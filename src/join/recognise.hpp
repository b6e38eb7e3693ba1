// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/layout.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace etl::join {

struct recognised {
    const char *obstacle; // why the join is not for us; null if it is
    layout join;
    List *filters; // of each member, a list of expressions
    Const *keys;   // the list that keys are among; null where there is none
};

// Looks at the join of all base relations of a query. It is ours if
// - relations are joined, inner, by an integer column, on which each of two or more has a unique index of its own;
// - others are joined by LEFT JOIN to such a column, likewise unique;
// - others, dimensions, are joined by a unique column of theirs, inner or LEFT, to any column of the first;
// - all other conditions are on one relation each, neither volatile nor with subqueries;
// - all are plain heaps without children and row security.
recognised recognise(PlannerInfo *root, const RelOptInfo *whole);

} // namespace etl::join
