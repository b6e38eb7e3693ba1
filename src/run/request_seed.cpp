// C++ regime: asking for a seed.
#include "run/request.hpp"

#include "catalog/relation.hpp"
#include "mart/mart.hpp"
#include "run/relations.hpp"
#include "settings.hpp"
#include "watch/watch.hpp"

namespace etl::run {

namespace {

// Staging tables of runs of this make that can't be resumed any more, where the make's owner may drop them.
pg::vector<Oid> abandoned_stagings(const catalog::make &make, std::int64_t run_id) {
    const pg::result rows =
        pg::query("SELECT c.oid FROM etl.run r JOIN etl.run_portal p USING (run_id)"
                  " JOIN pg_catalog.pg_class c ON c.oid = p.staging AND pg_catalog.pg_has_role($3, c.relowner, 'USAGE')"
                  " WHERE r.make = $1 AND r.run_id <> $2 AND r.kind = 'seed' AND r.state IN ('failed', 'cancelled')",
                  {pg::text(make.name), pg::int8(run_id), pg::oid(make.owner)});
    pg::vector<Oid> tables;
    for (std::size_t row = 0; row < rows.size(); row++)
        tables.push_back(rows.oid(row, 0));
    return tables;
}

} // namespace

std::int64_t request_seed(std::string_view name, std::optional<int> workers, std::optional<std::int64_t> chunk_rows,
                          std::string_view publish) {
    pg::require_read_write("etl_seed()");
    check_counts(workers, chunk_rows);
    if (publish != "auto" && publish != "manual")
        throw error("22023", "argument \"publish\" must be 'auto' or 'manual'");
    const catalog::make make = lock_own_make(name);
    const Oid requester = pg::current_role();
    // What went around the triggers on price logs without DDL's event triggers seeing it shows now.
    watch::follow();
    const pg::vector<catalog::source> sources = catalog::sources_of(make);
    const pg::string definition = plan::definition_of(make, sources);

    std::optional<std::int64_t> run_id;
    {
        pg::catalog_scope as_catalog;
        bury_runs_of_other_clusters();
        run_id = resume_newest(newest("seed", name), pg::view(definition), workers, chunk_rows, publish);
        if (!run_id) {
            run_id = insert_run({"seed", name, std::nullopt, make.owner, requester, workers.value_or(workers_per_run),
                                 pg::view(definition), pg::view(make.settings), chunk_rows, publish});
        } else {
            kick(*find(*run_id));
            return *run_id;
        }
    }
    warn_of_old_prices(sources);
    const pg::vector<plan::planned_task> tasks =
        plan::plan_seed(make, sources, workers.value_or(workers_per_run), chunk_rows, *run_id, false);
    pg::vector<Oid> abandoned;
    {
        pg::catalog_scope as_catalog;
        add_tasks(*run_id, tasks);
        abandoned = abandoned_stagings(make, *run_id);
    }
    for (const catalog::source &source : sources) {
        Oid staging = InvalidOid;
        {
            pg::owner_scope as_owner(make.owner);
            staging = mart::create_staging(make.mart, pg::view(source.portal), *run_id);
        }
        pg::catalog_scope as_catalog;
        pg::execute("INSERT INTO etl.run_portal (run_id, portal, view, staging, estimated_rows)"
                    " SELECT $1, $2, $3, $4, COALESCE(pg_catalog.sum(estimated_rows), 0) FROM etl.task"
                    " WHERE run_id = $1 AND portal = $2 AND kind = 'load'",
                    {pg::int8(*run_id), pg::text(source.portal), pg::oid(source.view), pg::oid(staging)});
    }
    record_relations(*run_id);
    if (!abandoned.empty()) {
        pg::owner_scope as_owner(make.owner);
        for (const Oid table : abandoned)
            mart::drop_staging(table);
    }
    forget_ended_runs(*find(*run_id));
    kick(*find(*run_id));
    return *run_id;
}

} // namespace etl::run
