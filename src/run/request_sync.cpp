// C++ regime: asking for a sync, and for a range to be made anew.
#include "run/request.hpp"

#include "pg/identity.hpp"
#include "plan/tasks.hpp"
#include "run/relations.hpp"
#include "run/turn.hpp"
#include "settings.hpp"
#include "watch/watch.hpp"

namespace etl::run {

pg::string definition_of(const catalog::make &make, const pg::vector<catalog::source> &sources,
                         const pg::vector<sync::standing> &held) {
    pg::string text = plan::definition_of(make, sources);
    for (const sync::standing &each : held)
        text += pg::format(" %u", each.partition);
    return text;
}

void begin_run(std::int64_t run_id, const pg::vector<plan::planned_task> &tasks,
               const pg::vector<catalog::source> &sources, const pg::vector<sync::standing> &held) {
    {
        pg::catalog_scope as_catalog;
        add_tasks(run_id, tasks);
        for (std::size_t i = 0; i < sources.size(); i++)
            pg::execute(
                "INSERT INTO etl.run_portal (run_id, portal, view, staging, estimated_rows)"
                " SELECT $1, $2, $3, $4, COALESCE(pg_catalog.sum(estimated_rows), 0) FROM etl.task"
                " WHERE run_id = $1 AND portal = $2",
                {pg::int8(run_id), pg::text(sources[i].portal), pg::oid(sources[i].view), pg::oid(held[i].partition)});
    }
    record_relations(run_id);
    forget_ended_runs(*find(run_id));
    say_turn(run_id);
    kick(*find(run_id));
}

namespace {

// A sync that is under way has looked for changes already, or is about to: it looks once more, so that what was
// committed before this request is in the mart when it is done. Its row is locked: it does not end meanwhile.
void look_once_more(std::int64_t run_id) {
    const pg::result portals = pg::query(
        pg::format("SELECT p.portal FROM etl.run_portal p WHERE p.run_id = $1 AND NOT EXISTS (SELECT FROM etl.task t"
                   " WHERE t.run_id = $1 AND t.portal = p.portal AND t.phase = %d AND t.state = 'waiting')"
                   " ORDER BY p.portal COLLATE \"C\"",
                   static_cast<int>(plan::phase::find)),
        {pg::int8(run_id)});
    pg::vector<plan::planned_task> tasks;
    for (std::size_t row = 0; row < portals.size(); row++)
        tasks.push_back(plan::task_of(plan::phase::find, "sync", portals.text(row, 0)));
    add_tasks(run_id, tasks);
}

std::optional<predecessor> newest_sync(std::string_view make) {
    const std::optional<predecessor> before = newest("sync", make);
    if (!before || before->state == "done")
        return before;
    pg::query("SELECT FROM etl.run WHERE run_id = $1 FOR NO KEY UPDATE", {pg::int8(before->run_id)});
    return newest("sync", make); // as it is now
}

} // namespace

std::int64_t request_sync(std::string_view name, std::optional<int> workers) {
    pg::require_read_write("etl_sync()");
    check_counts(workers, std::nullopt);
    const catalog::make make = lock_own_make(name);
    const Oid requester = pg::current_role();
    watch::follow();
    const pg::vector<catalog::source> sources = catalog::sources_of(make);
    const pg::vector<sync::standing> held = sync::standings_of(make, sources);
    const pg::string definition = definition_of(make, sources, held);
    const int most = workers.value_or(workers_per_run);
    std::int64_t run_id;
    {
        pg::catalog_scope as_catalog;
        bury_runs_of_other_clusters();
        const std::optional<predecessor> before = newest_sync(name);
        if (const auto joined = resume_newest(before, pg::view(definition), workers, std::nullopt, "auto")) {
            look_once_more(*joined);
            say_turn(*joined);
            kick(*find(*joined));
            return *joined;
        }
        run_id = insert_run(
            {"sync", name, std::nullopt, make.owner, requester, most, pg::view(definition), pg::view(make.settings)});
    }
    warn_of_old_prices(sources);
    begin_run(run_id, plan::plan_sync(make, sources, most), sources, held);
    return run_id;
}

namespace {

// The one portal that is to be made anew.
pg::vector<catalog::source> source_of(const catalog::make &make, std::string_view portal) {
    pg::vector<catalog::source> sources = catalog::sources_of(make);
    const auto other = [portal](const catalog::source &source) { return pg::view(source.portal) != portal; };
    sources.erase(std::remove_if(sources.begin(), sources.end(), other), sources.end());
    if (sources.empty()) {
        (void)catalog::get_portal(portal); // 42704 if there is none at all
        throw error("42704", pg::view(pg::format("make \"%s\" has no portal \"%.*s\"", make.name.c_str(),
                                                 static_cast<int>(portal.size()), portal.data())));
    }
    return sources;
}

} // namespace

std::int64_t restate_again(const record &run) {
    const catalog::make make = lock_own_make(pg::view(*run.make));
    const pg::vector<catalog::source> sources = source_of(make, pg::view(*run.portal));
    if (definition_of(make, sources, sync::standings_of(make, sources)) != run.definition)
        return 0;
    pg::catalog_scope as_catalog;
    reopen(run.run_id, "asked for again");
    say_turn(run.run_id);
    kick(*find(run.run_id));
    return run.run_id;
}

std::int64_t request_restate(std::string_view name, std::string_view portal, const plan::lid_range &range) {
    pg::require_read_write("etl_restate()");
    if (range.from && range.to && *range.from >= *range.to)
        throw error("22023", "argument \"lid_to\" must be greater than argument \"lid_from\"",
                    "The range is of lids from lid_from on and before lid_to; NULL is no bound.");
    const catalog::make make = lock_own_make(name);
    const Oid requester = pg::current_role();
    watch::follow();
    const pg::vector<catalog::source> sources = source_of(make, portal);
    const pg::vector<sync::standing> held = sync::standings_of(make, sources);
    const pg::string definition = definition_of(make, sources, held);
    std::int64_t run_id;
    {
        pg::catalog_scope as_catalog;
        bury_runs_of_other_clusters();
        const pg::result busy = pg::query("SELECT run_id FROM etl.run WHERE make = $1 AND kind = 'sync' AND portal = $2"
                                          " AND state IN ('queued', 'running', 'paused')",
                                          {pg::text(name), pg::text(portal)});
        if (!busy.empty())
            throw error("55006",
                        pg::view(pg::format("run %s, which makes a range of portal \"%s\" anew, has not ended",
                                            busy.text(0, 0).c_str(), sources.front().portal.c_str())),
                        {}, "Wait for it with etl_wait, or cancel it.");
        run_id = insert_run({"sync", name, portal, make.owner, requester, workers_per_run, pg::view(definition),
                             pg::view(make.settings)});
    }
    warn_of_old_prices(sources);
    pg::vector<plan::planned_task> tasks = plan::plan_folds_of(make, sources, workers_per_run, false);
    {
        pg::owner_scope as_owner(make.owner);
        for (plan::planned_task &task : plan::plan_comparison(make, sources.front(), held.front().partition, range))
            tasks.push_back(std::move(task));
    }
    begin_run(run_id, tasks, sources, held);
    return run_id;
}

} // namespace etl::run
