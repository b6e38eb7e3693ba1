// C++ regime.
#include "sync/follow.hpp"

#include "pg/identity.hpp"
#include "plan/plan.hpp"

namespace etl::sync {

// What was found, was found by what the old partitions were in step with: it is looked for again. A range that was asked for
// stays as it is.
bool follow_partitions(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::value run = pg::int8(run_id);
    if (pg::execute("UPDATE etl.run_portal p SET staging = e.relation, mark = NULL, rates = NULL"
                    " FROM etl.run r JOIN etl.make m ON m.make = r.make JOIN etl.partition e ON e.make = r.make"
                    " JOIN pg_catalog.pg_inherits i ON i.inhrelid = e.relation AND i.inhparent = m.mart"
                    " WHERE r.run_id = $1 AND p.run_id = $1 AND e.portal = p.portal AND p.staging <> e.relation",
                    {run}) == 0)
        return false;
    pg::execute("DELETE FROM etl.task t WHERE t.run_id = $1 AND t.phase IN ($2, $3) AND EXISTS (SELECT FROM etl.task f"
                " WHERE f.run_id = $1 AND f.portal = t.portal AND f.phase = $4)",
                {run, pg::int4(static_cast<int>(plan::phase::apply)), pg::int4(static_cast<int>(plan::phase::compare)),
                 pg::int4(static_cast<int>(plan::phase::find))});
    pg::execute("UPDATE etl.task SET state = 'waiting', ended_at = NULL, rows = NULL, why = 'a seed has replaced the partition'"
                " WHERE run_id = $1 AND kind <> 'fold' AND state = 'done'",
                {run});
    return true;
}

} // namespace etl::sync
