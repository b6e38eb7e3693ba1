// C++ regime: asking for a fold.
#include "run/request.hpp"

#include "catalog/relation.hpp"
#include "pg/identity.hpp"
#include "run/relations.hpp"
#include "settings.hpp"

namespace etl::run {

std::int64_t request_fold(std::string_view name, std::optional<int> workers) {
    pg::require_read_write("etl_fold_prices()");
    check_counts(workers, std::nullopt);
    const catalog::portal portal = catalog::get_portal(name);
    catalog::require_owner(portal.owner, pg::view(pg::format("portal \"%s\"", portal.name.c_str())));
    catalog::require_login(portal.owner);
    const Oid requester = pg::current_role();
    const pg::string definition = pg::format("%u %u", portal.prices, portal.price_state);

    std::int64_t run_id;
    {
        pg::catalog_scope as_catalog;
        pg::query("SELECT FROM etl.portal WHERE portal = $1 FOR NO KEY UPDATE", {pg::text(name)});
        bury_runs_of_other_clusters();
        if (const auto joined =
                resume_newest(newest("fold", name), pg::view(definition), workers, std::nullopt, "auto")) {
            kick(*find(*joined));
            return *joined;
        }
        const pg::string settings = catalog::current_settings();
        run_id = insert_run({"fold", std::nullopt, name, portal.owner, requester, workers.value_or(workers_per_run),
                             pg::view(definition), pg::view(settings)});
    }
    const pg::vector<plan::planned_task> tasks = plan::plan_fold(portal, workers.value_or(workers_per_run), false);
    {
        pg::catalog_scope as_catalog;
        add_tasks(run_id, tasks);
        pg::execute("INSERT INTO etl.run_portal (run_id, portal, estimated_rows)"
                    " SELECT $1, $2, COALESCE(pg_catalog.sum(estimated_rows), 0) FROM etl.task WHERE run_id = $1",
                    {pg::int8(run_id), pg::text(name)});
    }
    record_relations(run_id);
    forget_ended_runs(*find(run_id));
    kick(*find(run_id));
    return run_id;
}

} // namespace etl::run
