// C++ regime: doing what a task says.
#include "run/work.hpp"

#include "catalog/trust.hpp"
#include "fold/fold.hpp"
#include "load/load.hpp"
#include "mart/mart.hpp"
#include "pg/extension.hpp"
#include "pg/identity.hpp"
#include "pg/running.hpp"
#include "plan/tasks.hpp"
#include "run/meter.hpp"
#include "run/relations.hpp"
#include "run/request.hpp"
#include "settings.hpp"
#include "sync/apply.hpp"
#include "sync/find.hpp"
#include "sync/rate_sets.hpp"
#include "verify/verify.hpp"
#include "watch/watch.hpp"

namespace etl::run {

namespace {

struct place {
    Oid view;
    Oid staging;
    bool settled; // whether all that was written before the run's position of the log can be seen
};

place place_of(const record &run, const pg::string &portal) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        pg::kept("SELECT p.view, p.staging, COALESCE(pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())"
                 " >= r.next_xid, false) FROM etl.run_portal p JOIN etl.run r USING (run_id)"
                 " WHERE p.run_id = $1 AND p.portal = $2"),
        {pg::int8(run.run_id), pg::text(pg::view(portal))});
    return {rows.is_null(0, 0) ? InvalidOid : rows.oid(0, 0), rows.is_null(0, 1) ? InvalidOid : rows.oid(0, 1),
            rows.boolean(0, 2)};
}

mart::row_counts count_rows(const record &run, const pg::string &portal) {
    pg::catalog_scope as_catalog;
    const pg::result counts =
        pg::query("SELECT w.rows, COALESCE((SELECT pg_catalog.bool_and(t.rows = w.rows) FROM etl.task t"
                  " WHERE t.run_id = $1 AND t.portal = $2 AND t.kind = 'index'), false)"
                  " FROM (SELECT COALESCE(pg_catalog.sum(rows), 0)::bigint AS rows FROM etl.task"
                  " WHERE run_id = $1 AND portal = $2 AND kind = 'load') w",
                  {pg::int8(run.run_id), pg::text(pg::view(portal))});
    return {counts.int8(0, 0), counts.boolean(0, 1)};
}

// What an index build may use of the run's: the memory of one of as many builds as there may be at a time, and
// processes only where fewer tasks are left than the run may have workers; else the workers are the parallelism.
mart::means allow_index(const record &run) {
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

bool reads_sources(const task &todo) {
    return todo.kind == "load" || todo.kind == "sync";
}

// Since the run was planned others may have put code into what it reads, and they may do so until it is locked.
void require_trust(const assignment &duty, const task &todo) {
    if (reads_sources(todo) || todo.kind == "verify")
        catalog::require_trust(duty.make, catalog::get_portal(pg::view(*todo.portal)));
    else if (todo.kind == "index" || todo.kind == "check")
        catalog::require_trust_in_mart(duty.make);
    if (todo.kind == "sync" || todo.kind == "verify")
        catalog::require_trust_in_mart(duty.make); // its triggers and indexes
}

// Several makes may have asked for seeds when a portal was not folded: the first of them folds it for all.
bool folded_since_request(const record &run, const catalog::portal &portal) {
    pg::catalog_scope as_catalog;
    return !pg::query("SELECT FROM etl.portal p JOIN etl.run r ON r.run_id = $1 WHERE p.portal = $2"
                      " AND p.state IN ('as_of', 'current') AND p.folded_at >= r.requested_at",
                      {pg::int8(run.run_id), pg::text(portal.name)})
                .empty();
}

// Tells what is to be done for the portal, as further tasks.
void look_for_changes(const assignment &duty, const catalog::source &source, const place &where, std::int64_t mark) {
    const Oid partition = where.staging;
    const sync::findings found =
        sync::find_changes(duty.make, source, sync::standing_of(duty.make, partition, source.portal),
                           [&duty] { call_helpers_at_once(duty.run); });
    pg::vector<plan::planned_task> tasks = found.compare ? plan::plan_comparison(duty.make, source, partition, {})
                                                         : plan::plan_application(source, found.lids, duty.run.workers);
    pg::catalog_scope as_catalog;
    if (!tasks.empty() || is_littered(partition))
        tasks.push_back(plan::task_of(plan::phase::vacuum, "analyze", source.portal));
    pg::execute(
        pg::kept("UPDATE etl.run_portal p SET mark = $3, rates = $4, position = CASE WHEN $5 THEN r.position END"
                 " FROM etl.run r WHERE r.run_id = $1 AND p.run_id = $1 AND p.portal = $2"),
        {pg::int8(duty.run.run_id), pg::text(source.portal), pg::timestamptz(mark), pg::int8(found.rates),
         pg::boolean(where.settled)});
    // An earlier look has found some of the same; none of its chunks is at work (run/claim).
    pg::execute(
        pg::kept(pg::format(
            "DELETE FROM etl.task WHERE run_id = $1 AND portal = $2 AND phase IN (%d, %d, %d) AND state = 'waiting'",
            static_cast<int>(plan::phase::apply), static_cast<int>(plan::phase::compare),
            static_cast<int>(plan::phase::vacuum))),
        {pg::int8(duty.run.run_id), pg::text(source.portal)});
    add_tasks(duty.run.run_id, tasks);
}

struct work_done {
    std::optional<std::int64_t> rows = std::nullopt;
    std::optional<load::costs> steps = std::nullopt;
    std::optional<std::int64_t> compared = std::nullopt;
    std::optional<std::int64_t> digest = std::nullopt;
};

work_done work_as_owner(const assignment &duty, const task &todo, std::int64_t mark, bool &folded) {
    const record &run = duty.run;
    const place where = todo.portal ? place_of(run, *todo.portal) : place{InvalidOid, InvalidOid, false};
    const mart::row_counts counts = todo.kind == "check" ? count_rows(run, *todo.portal) : mart::row_counts{};
    const std::optional<catalog::portal> portal =
        todo.kind == "fold" ? std::optional(catalog::get_portal(pg::view(*todo.portal))) : std::nullopt;
    const mart::means index = todo.kind == "index" ? allow_index(run) : mart::means{};
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
        return {steps.rows, steps, std::nullopt, static_cast<std::int64_t>(steps.digest)};
    }
    if (todo.kind == "sync") {
        const catalog::source source{*todo.portal, where.view};
        if (todo.phase == plan::phase::find) {
            look_for_changes(duty, source, where, mark);
            return {};
        }
        const sync::applied done = sync::apply(where.view, where.staging, {todo.range, todo.lids});
        return {done.lids, std::nullopt, done.rows, done.digest};
    }
    if (todo.kind == "verify")
        return {verify::verify_range({run.run_id, todo.task_no}, duty.make, {*todo.portal, where.view}, where.staging,
                                     todo.range),
                std::nullopt};
    if (todo.kind == "fold")
        return {watched ? watch::fold_chunk(*portal, todo.range)
                        : fold::fold_chunk(portal->prices, portal->price_state, todo.range),
                std::nullopt};
    if (todo.kind == "index") {
        pg::vector<Oid> parents{todo.parent_index};
        for (const along &other : todo.together)
            parents.push_back(other.parent_index);
        return {mart::build_indexes(duty.make.mart, parents, pg::view(*todo.portal), run.run_id, where.staging, index)};
    }
    if (todo.kind == "check")
        mart::check_staging(duty.make.mart, pg::view(*todo.portal), run.run_id, where.staging, counts);
    else if (todo.kind == "analyze" && todo.portal)
        mart::analyze_staging(duty.make.mart, where.staging);
    else if (todo.kind == "analyze")
        mart::analyze_mart(duty.make.mart, stagings(run));
    else
        throw error("XX000", pg::view(pg::format("unknown kind of task: %s", todo.kind.c_str())));
    return {};
}

} // namespace

pg::vector<mart::partition> stagings(const record &run) {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query("SELECT portal, staging::oid FROM etl.run_portal WHERE run_id = $1 ORDER BY portal COLLATE \"C\"",
                  {pg::int8(run.run_id)});
    pg::vector<mart::partition> partitions;
    for (std::size_t row = 0; row < rows.size(); row++)
        partitions.push_back({rows.text(row, 0), rows.oid(row, 1)});
    return partitions;
}

assignment read_assignment(const record &run) {
    assignment duty{run, {}, {}};
    if (run.make)
        duty.make = catalog::get_make(pg::view(*run.make));
    pg::catalog_scope as_catalog;
    duty.settings =
        pg::query(pg::kept("SELECT settings::text FROM etl.run WHERE run_id = $1"), {pg::int8(run.run_id)}).text(0, 0);
    return duty;
}

void perform(const assignment &duty, const task &todo) {
    pg::lock_extension();
    require_trust(duty, todo);
    const meter spent;
    // Before any snapshot that the task reads with.
    const std::int64_t mark = reads_sources(todo) ? pg::oldest_start() : 0;
    bool folded = false;
    const work_done done = work_as_owner(duty, todo, mark, folded);
    // Where another run has folded the portal, it has settled the price state as well.
    if (folded)
        watch::settle(duty.run.run_id, todo.task_no, pg::view(*todo.portal));
    require_relations(duty.run, todo);
    outcome result{spent.costs(done.steps, 1 + todo.together.size()), done.rows};
    result.compared = done.compared;
    result.digest = done.digest;
    if (reads_sources(todo)) {
        result.mark = mark;
        result.rates = sync::set_in_use();
    }
    mark_done(duty.run, todo, result);
}

} // namespace etl::run
