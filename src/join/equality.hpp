// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/candidate.hpp"

namespace etl::join {

struct candidates {
    int count;
    candidate list[most_members];
};

candidate *find(candidates &all, Index relation);

// Finds out which relations are joined by the key and which are dimensions, from the equalities that join them: those
// of inner joins are in equivalence classes, those of LEFT JOINs are conditions of both sides. Null or an obstacle.
const char *give_parts(const PlannerInfo *root, candidates &all);

} // namespace etl::join
