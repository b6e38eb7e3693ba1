// PG regime: the key join as a plan node.
#pragma once

#include "join/layout.hpp"

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/plannodes.h"
}

namespace etl::join {

// A plan's private list, from which scan_layout takes the layout again.
List *private_list(const layout &join);
layout scan_layout(const CustomScan *plan);

extern const CustomScanMethods scan_methods;

// Who works on several rows at a time: it is told before the rows that were returned go, with all that they point to.
struct row_keeper {
    void (*about_to_forget)(void *whom);
    void *whom;
};

// True if a plan's rows come straight from a key join: they stay until the keeper is told so, or the plan has ended.
// False if each goes with the next one.
bool keep_rows(PlanState *plan, const row_keeper &keeper);

// What a key join has taken of the processor for reading and joining; 0 for other plans.
std::int64_t reading_nanoseconds(const PlanState *plan);

} // namespace etl::join
