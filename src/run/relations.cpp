// C++ regime: what the tasks of a run read, down to the last partition.
#include "run/relations.hpp"

#include "pg/identity.hpp"

namespace etl::run {

void record_relations(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.run_portal p SET relations = etl.relations_under(p.view),"
                " log_relations = (SELECT etl.relations_under(d.prices) FROM etl.portal d WHERE d.portal = p.portal"
                "  AND EXISTS (SELECT FROM etl.task t WHERE t.run_id = p.run_id AND t.portal = p.portal"
                "  AND t.kind = 'fold')) WHERE p.run_id = $1",
                {pg::int8(run_id)});
}

void require_relations(const record &run, const task &done) {
    if (done.kind != "load" && done.kind != "sync" && done.kind != "verify" && done.kind != "fold")
        return;
    pg::catalog_scope as_catalog;
    const pg::result lost = pg::query(
        pg::kept(done.kind != "fold"
                     ? "SELECT o::regclass::text FROM etl.run_portal p, etl.relations_under(p.view) there,"
                       " unnest(p.relations) o WHERE p.run_id = $1 AND p.portal = $2 AND o <> ALL (there) LIMIT 1"
                     : "SELECT o::regclass::text FROM etl.run_portal p JOIN etl.portal d USING (portal),"
                       " etl.relations_under(d.prices) there, unnest(p.log_relations) o WHERE p.run_id = $1"
                       " AND p.portal = $2 AND o <> ALL (there) LIMIT 1"),
        {pg::int8(run.run_id), pg::text(done.portal)});
    if (!lost.empty())
        throw error(
            "55000",
            pg::view(pg::format("portal \"%s\" has lost its source %s", done.portal->c_str(), lost.text(0, 0).c_str())),
            "It was detached or dropped since the run was planned; its rows would be missing.",
            "Attach it again and call etl_retry, or ask for a new run, which does without it.");
}

} // namespace etl::run
