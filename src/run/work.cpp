// C++ regime: doing what a task says.
#include "run/work.hpp"

#include "catalog/trust.hpp"
#include "fold/fold.hpp"
#include "load/load.hpp"
#include "mart/mart.hpp"
#include "pg/extension.hpp"
#include "pg/identity.hpp"
#include "run/meter.hpp"
#include "run/relations.hpp"
#include "settings.hpp"
#include "watch/watch.hpp"

namespace etl::run {

namespace {

struct place {
    Oid view;
    Oid staging;
};

place place_of(const record &run, const pg::string &portal) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query("SELECT view::oid, staging::oid FROM etl.run_portal WHERE run_id = $1 AND portal = $2",
                                      {pg::int8(run.run_id), pg::text(pg::view(portal))});
    return {rows.is_null(0, 0) ? InvalidOid : rows.oid(0, 0), rows.is_null(0, 1) ? InvalidOid : rows.oid(0, 1)};
}

std::int64_t rows_loaded(const record &run, const pg::string &portal) {
    pg::catalog_scope as_catalog;
    return pg::query("SELECT COALESCE(pg_catalog.sum(rows), 0)::bigint FROM etl.task WHERE run_id = $1 AND portal = $2"
                     " AND kind = 'load'",
                     {pg::int8(run.run_id), pg::text(pg::view(portal))})
        .int8(0, 0);
}

// What an index build may use of the run's: the memory of one of as many builds as there may be at a time, and processes
// only where fewer tasks are left than the run may have workers; else the workers are the parallelism.
struct allowance {
    int memory; // kB
    int processes;
};

allowance allow_index(const record &run) {
    pg::catalog_scope as_catalog;
    const pg::result left = pg::query("SELECT pg_catalog.count(*) FILTER (WHERE kind = 'index'), pg_catalog.count(*)"
                                      " FROM etl.task WHERE run_id = $1 AND kind IN ('fold', 'load', 'index')"
                                      " AND state IN ('waiting', 'running')",
                                      {pg::int8(run.run_id)});
    const std::int64_t workers = std::min(run.workers, max_workers);
    const std::int64_t builds = std::clamp<std::int64_t>(left.int8(0, 0), 1, workers);
    const std::int64_t tasks = std::max<std::int64_t>(left.int8(0, 1), 1);
    constexpr std::int64_t least_memory = 1024, most_processes = 1024; // that PostgreSQL takes
    return {static_cast<int>(std::max(index_memory / builds, least_memory)),
            static_cast<int>(std::min(std::max<std::int64_t>(workers - tasks, 0) / tasks, most_processes))};
}

// Since the run was planned others may have put code into what it reads, and they may do so until it is locked.
void require_trust(const assignment &duty, const task &todo) {
    if (todo.kind == "load")
        catalog::require_trust(duty.make, catalog::get_portal(pg::view(*todo.portal)));
    else if (todo.kind == "index" || todo.kind == "check")
        catalog::require_trust_in_mart(duty.make);
}

// Several makes may have asked for seeds when a portal was not folded: the first of them folds it for all.
bool folded_since_request(const record &run, const catalog::portal &portal) {
    pg::catalog_scope as_catalog;
    return !pg::query("SELECT FROM etl.portal p JOIN etl.run r ON r.run_id = $1 WHERE p.portal = $2"
                      " AND p.state IN ('as_of', 'current') AND p.folded_at >= r.requested_at",
                      {pg::int8(run.run_id), pg::text(portal.name)})
                .empty();
}

struct work_done {
    std::optional<std::int64_t> rows;
    std::optional<load::costs> steps;
};

work_done work_as_owner(const assignment &duty, const task &todo, bool &folded) {
    const record &run = duty.run;
    const place where = todo.portal ? place_of(run, *todo.portal) : place{InvalidOid, InvalidOid};
    const std::int64_t loaded = todo.kind == "check" ? rows_loaded(run, *todo.portal) : 0;
    const std::optional<catalog::portal> portal =
        todo.kind == "fold" ? std::optional(catalog::get_portal(pg::view(*todo.portal))) : std::nullopt;
    const allowance index = todo.kind == "index" ? allow_index(run) : allowance{};
    // Where that changes before the chunk is done, watch::settle sends it back.
    const bool watched = portal && watch::is_watched(pg::view(portal->name));

    if (portal && run.make && folded_since_request(run, *portal))
        return {0, std::nullopt};
    folded = portal.has_value();
    // A fold writes a table of the portal's owner, whose triggers must not get the rights of the make's.
    pg::owner_scope as_owner(portal ? portal->owner : run.owner);
    catalog::apply_settings(as_owner.settings(), pg::view(duty.settings));
    if (todo.kind == "load") {
        const load::costs steps = load::load_chunk(where.view, where.staging, todo.range);
        return {steps.rows, steps};
    }
    if (todo.kind == "fold")
        return {watched ? watch::fold_chunk(*portal, todo.range)
                        : fold::fold_chunk(portal->prices, portal->price_state, todo.range),
                std::nullopt};
    if (todo.kind == "index") {
        as_owner.settings().set("maintenance_work_mem", pg::format("%dkB", index.memory).c_str());
        as_owner.settings().set("max_parallel_maintenance_workers", pg::format("%d", index.processes).c_str());
        mart::build_index(duty.make.mart, todo.parent_index, pg::view(*todo.portal), run.run_id, where.staging);
    } else if (todo.kind == "check")
        mart::check_staging(duty.make.mart, pg::view(*todo.portal), run.run_id, where.staging, loaded);
    else if (todo.kind == "analyze" && todo.portal)
        mart::analyze_staging(duty.make.mart, where.staging);
    else if (todo.kind == "analyze")
        mart::analyze_mart(duty.make.mart);
    else
        throw error("XX000", pg::view(pg::format("unknown kind of task: %s", todo.kind.c_str())));
    return {};
}

} // namespace

assignment read_assignment(const record &run) {
    assignment duty{run, {}, {}};
    if (run.make)
        duty.make = catalog::get_make(pg::view(*run.make));
    pg::catalog_scope as_catalog;
    duty.settings =
        pg::query("SELECT settings::text FROM etl.run WHERE run_id = $1", {pg::int8(run.run_id)}).text(0, 0);
    return duty;
}

void perform(const assignment &duty, const task &todo) {
    pg::lock_extension();
    require_trust(duty, todo);
    const meter spent;
    bool folded = false;
    const work_done done = work_as_owner(duty, todo, folded);
    // Where another run has folded the portal, it has settled the price state as well.
    if (folded)
        watch::settle(duty.run.run_id, todo.task_no, pg::view(*todo.portal));
    require_relations(duty.run, todo);
    const std::optional<std::int64_t> digest =
        done.steps ? std::optional(static_cast<std::int64_t>(done.steps->digest)) : std::nullopt;
    mark_done(duty.run, todo, {done.rows, digest, spent.costs(done.steps)});
}

} // namespace etl::run
