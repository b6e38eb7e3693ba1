// C++ regime.
#include "sync/follow.hpp"

#include "pg/identity.hpp"
#include "plan/plan.hpp"

namespace etl::sync {

namespace {

pg::value number(plan::phase of) {
    return pg::int4(static_cast<int>(of));
}

// What was found, was found by what the old partitions were in step with: it is looked for again. A range that was
// asked for stays as it is.
void sync_anew(const pg::value &run) {
    pg::execute(
        "DELETE FROM etl.task t WHERE t.run_id = $1 AND t.phase IN ($2, $3, $5) AND EXISTS (SELECT FROM etl.task f"
        " WHERE f.run_id = $1 AND f.portal = t.portal AND f.phase = $4)",
        {run, number(plan::phase::apply), number(plan::phase::compare), number(plan::phase::find),
         number(plan::phase::vacuum)});
    pg::execute(
        "UPDATE etl.task SET state = 'waiting', ended_at = NULL, rows = NULL, why = 'a seed has replaced the partition'"
        " WHERE run_id = $1 AND kind <> 'fold' AND state = 'done'",
        {run});
}

// Ranges are those of the digests that the seed has left; all rows at once where it left none.
void verify_anew(const pg::value &run) {
    pg::execute("DELETE FROM etl.difference WHERE run_id = $1", {run});
    pg::execute("DELETE FROM etl.task WHERE run_id = $1", {run});
    pg::execute(
        "INSERT INTO etl.task (run_id, task_no, phase, kind, portal, lid_from, lid_to, estimated_rows)"
        " SELECT $1, pg_catalog.row_number() OVER (ORDER BY p.portal COLLATE \"C\", d.lid_from NULLS FIRST), $2, "
        "'verify',"
        " p.portal, d.lid_from, d.lid_to, d.rows FROM etl.run_portal p LEFT JOIN etl.digest d ON d.relation = p.staging"
        " WHERE p.run_id = $1",
        {run, number(plan::phase::verify)});
}

} // namespace

bool follow_partitions(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::value run = pg::int8(run_id);
    if (pg::query(
            "SELECT FROM etl.run_portal p WHERE p.run_id = $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i"
            " WHERE i.inhrelid = p.staging AND i.inhparent ="
            "  (SELECT m.mart FROM etl.make m JOIN etl.run r USING (make) WHERE r.run_id = $1)) LIMIT 1",
            {run})
            .empty())
        return false; // what was replaced is no partition any more
    if (pg::execute("UPDATE etl.run_portal p SET staging = e.relation, mark = NULL, rates = NULL,"
                    " position = NULL"
                    " FROM etl.run r JOIN etl.make m ON m.make = r.make JOIN etl.partition e ON e.make = r.make"
                    " JOIN pg_catalog.pg_inherits i ON i.inhrelid = e.relation AND i.inhparent = m.mart"
                    " WHERE r.run_id = $1 AND p.run_id = $1 AND e.portal = p.portal AND p.staging <> e.relation",
                    {run}) == 0)
        return false;
    if (pg::query("SELECT FROM etl.run WHERE run_id = $1 AND kind = 'verify'", {run}).empty())
        sync_anew(run);
    else
        verify_anew(run);
    return true;
}

} // namespace etl::sync
