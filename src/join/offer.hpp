// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/plannodes.h"
}

namespace etl::join {

// Called once from _PG_init.
void install();

struct planned {
    PlannedStmt *plan;
    const char *obstacle; // why it has no key join; null if it has one
};

// Plans a rewritten SELECT and offers a key join for the whole of it: etl.key_join = on offers one here and nowhere
// else, `always` for every query. text: what error reports and monitoring shall call it.
// parameters: those that are constants of the plan; may be null.
planned plan_with_key_join(Query *query, const char *text, ParamListInfo parameters = nullptr);

} // namespace etl::join
