// C++ regime: asking for a run: a new one, or the one there is.
#include "run/run.hpp"

#include "catalog/relation.hpp"
#include "mart/mart.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"
#include "run/relations.hpp"
#include "run/turn.hpp"
#include "settings.hpp"
#include "watch/watch.hpp"

namespace etl::run {

namespace {

void check_counts(std::optional<int> workers, std::optional<std::int64_t> chunk_rows) {
    if (workers && (*workers < 1 || *workers > 1000))
        throw error("22023", pg::view(pg::format("argument \"workers\" must be between 1 and 1000, not %d", *workers)));
    if (chunk_rows && *chunk_rows < 1)
        throw error("22023", pg::view(pg::format("argument \"chunk_rows\" must be at least 1, not " INT64_FORMAT,
                                                 *chunk_rows)));
}

// Runs that came here with a copy of the database are dead; they must not stand in the way of new ones.
void bury_runs_of_other_clusters() {
    pg::execute(pg::format("UPDATE etl.run SET state = 'cancelled', error = 'other cluster', why = 'other cluster',"
                           " ended_at = pg_catalog.now(), since = pg_catalog.now()"
                           " WHERE state IN ('queued', 'running', 'paused', 'loaded') AND NOT %s",
                           this_cluster().c_str()));
}

// The newest run of the same thing, if a request can fall back on it.
struct predecessor {
    std::int64_t run_id;
    pg::string state;
    pg::string definition;
    bool whole; // its staging tables and what it reads are all there, and what must be folded now it would still fold
};

std::optional<predecessor> newest(const char *kind, const char *column, std::string_view name) {
    const pg::result rows = pg::query(
        pg::format("SELECT r.run_id, r.state, r.definition, NOT EXISTS (SELECT FROM etl.run_portal p"
                   "  WHERE p.run_id = r.run_id AND p.staging IS NOT NULL"
                   "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = p.staging))"
                   " AND NOT EXISTS (SELECT FROM etl.run_portal p JOIN etl.portal o USING (portal)"
                   "  WHERE p.run_id = r.run_id AND o.state IN ('unfolded', 'stale') AND NOT EXISTS (SELECT"
                   "   FROM etl.task t WHERE t.run_id = r.run_id AND t.portal = o.portal AND t.kind = 'fold'"
                   "   AND t.state <> 'done')) AND %s"
                   " FROM etl.run r WHERE r.kind = '%s' AND r.%s = $1 AND %s ORDER BY r.run_id DESC LIMIT 1",
                   relations_are_there, kind, column, this_cluster().c_str()),
        {pg::text(name)});
    if (rows.empty())
        return std::nullopt;
    return predecessor{rows.int8(0, 0), rows.text(0, 1), rows.text(0, 2), rows.boolean(0, 3)};
}

bool unfinished(const pg::string &state) {
    return state == "queued" || state == "running" || state == "paused" || state == "loaded";
}

// Failed tasks get another chance, with a clean record; done ones are kept.
void reopen(std::int64_t run_id, std::string_view why) {
    pg::execute("UPDATE etl.task SET state = 'waiting', crashes = 0, retries = 0, not_before = NULL, ended_at = NULL,"
                " why = $2 WHERE run_id = $1 AND state IN ('waiting', 'failed')",
                {pg::int8(run_id), pg::text(why)});
    pg::execute("UPDATE etl.run SET state = 'queued', ended_at = NULL, since = pg_catalog.clock_timestamp(),"
                " sqlstate = NULL, error = NULL, waiting_for = NULL, why = $2 WHERE run_id = $1",
                {pg::int8(run_id), pg::text(why)});
}

void say_resumed(std::int64_t run_id, const pg::string &state) {
    const pg::result counts =
        pg::query("SELECT pg_catalog.count(*) FILTER (WHERE state = 'done'), pg_catalog.count(*) FROM etl.task"
                  " WHERE run_id = $1",
                  {pg::int8(run_id)});
    const char *hint = state == "paused"   ? "It is paused; etl_resume lets it go on."
                       : state == "loaded" ? "It is loaded; etl_publish publishes it."
                                           : "";
    pg::notice(pg::view(pg::format("resuming run " INT64_FORMAT " (it was %s): %s of %s tasks are done", run_id,
                                   state.c_str(), counts.text(0, 0).c_str(), counts.text(0, 1).c_str())),
               hint);
}

// What a request says explicitly holds for the ended run that it reopens, as far as that can still be changed. A run
// that is under way stays as whoever asked for it wanted it.
void apply_arguments(std::int64_t run_id, std::optional<int> workers, std::optional<std::int64_t> chunk_rows,
                     std::string_view publish) {
    pg::execute("UPDATE etl.run SET workers = COALESCE($2, workers),"
                " publish = CASE WHEN $3 = 'manual' THEN $3 ELSE publish END WHERE run_id = $1"
                " AND (workers IS DISTINCT FROM COALESCE($2, workers) OR ($3 = 'manual' AND publish <> $3))",
                {pg::int8(run_id), workers ? pg::int4(*workers) : pg::null_of(pg::int4(0).type), pg::text(publish)});
    if (!chunk_rows)
        return;
    const pg::result cut = pg::query("SELECT chunk_rows FROM etl.run WHERE run_id = $1", {pg::int8(run_id)});
    if (cut.optional_int8(0, 0) != chunk_rows)
        pg::notice(pg::view(pg::format("run " INT64_FORMAT " keeps the chunks that it was cut into", run_id)),
                   "Chunks are cut when a run is planned.");
}

// Falls back on the newest run where that is right, and returns its number.
std::optional<std::int64_t> resume_newest(const std::optional<predecessor> &before, std::string_view definition,
                                          std::optional<int> workers, std::optional<std::int64_t> chunk_rows,
                                          std::string_view publish) {
    if (!before)
        return std::nullopt;
    if (!unfinished(before->state)) {
        const bool resumable = (before->state == "failed" || before->state == "cancelled") &&
                               pg::view(before->definition) == definition && before->whole;
        if (!resumable)
            return std::nullopt;
        reopen(before->run_id, "asked for again");
        apply_arguments(before->run_id, workers, chunk_rows, publish);
    }
    say_resumed(before->run_id, before->state);
    return before->run_id;
}

std::int64_t insert_run(const char *kind, std::optional<std::string_view> make, std::optional<std::string_view> portal,
                        Oid owner, Oid requested_by, int workers, std::optional<std::int64_t> chunk_rows,
                        std::string_view publish, std::string_view definition, std::string_view settings) {
    auto optional_text = [](std::optional<std::string_view> text) {
        return text ? pg::text(*text) : pg::text(std::optional<pg::string>());
    };
    return pg::query("INSERT INTO etl.run (kind, make, portal, owner, requested_by, workers, chunk_rows, publish,"
                     " definition, settings, system_identifier, database, chunk_target)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13) RETURNING run_id",
                     {pg::text(kind), optional_text(make), optional_text(portal), pg::regrole(owner),
                      pg::regrole(requested_by), pg::int4(workers), pg::int8(chunk_rows), pg::text(publish),
                      pg::text(definition), pg::text(settings),
                      pg::int8(pg::system_identifier()), pg::oid(pg::current_database()), pg::int4(chunk_target)})
        .int8(0, 0);
}

// As the text of an array, or NULL where there are none.
std::optional<pg::string> text_of_cuts(const pg::vector<std::int64_t> &cuts) {
    if (cuts.empty())
        return std::nullopt;
    pg::string text;
    for (const std::int64_t cut : cuts)
        text += pg::format("%c" INT64_FORMAT, text.empty() ? '{' : ',', cut);
    return text + "}";
}

void insert_tasks(std::int64_t run_id, const pg::vector<plan::planned_task> &tasks) {
    std::int32_t task_no = 0;
    for (const plan::planned_task &task : tasks)
        pg::execute("INSERT INTO etl.task (run_id, task_no, phase, kind, portal, lid_from, lid_to, parent_index,"
                    " estimated_rows, cuts) VALUES ($1, $2, $3::smallint, $4, $5, $6, $7, $8, $9, $10::bigint[])",
                    {pg::int8(run_id), pg::int4(++task_no), pg::int4(static_cast<int>(task.phase)),
                     pg::text(task.kind), pg::text(task.portal), pg::int8(task.range.from), pg::int8(task.range.to),
                     pg::oid(task.parent_index.value_or(InvalidOid)), pg::int8(task.estimated_rows),
                     pg::text(text_of_cuts(task.cuts))});
}

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

// Locks the make, and its portals against being dropped or refreshed, until the request's rows are committed.
void lock_make(std::string_view name) {
    pg::catalog_scope as_catalog;
    // Two requests for one make take turns; the second finds the first one's run.
    pg::query("SELECT FROM etl.make WHERE make = $1 FOR NO KEY UPDATE", {pg::text(name)});
    pg::query("SELECT FROM etl.portal p WHERE EXISTS (SELECT FROM etl.source s WHERE s.make = $1 AND s.portal = p.portal)"
              " ORDER BY p.portal FOR KEY SHARE",
              {pg::text(name)});
}

// A price state that nobody keeps up is used as it is; the DBA should know how old it is.
void warn_of_old_prices(const pg::vector<catalog::source> &sources) {
    for (const catalog::source &source : sources) {
        const catalog::portal portal = catalog::get_portal(pg::view(source.portal));
        if (portal.state == "as_of" && portal.folded_at)
            pg::warning(pg::view(pg::format("the price state of portal \"%s\" is as of %s", portal.name.c_str(),
                                            portal.folded_at->c_str())),
                        "Price events since then are not in it; etl_fold_prices brings it up to date.");
    }
}

} // namespace

std::int64_t request_seed(std::string_view name, std::optional<int> workers, std::optional<std::int64_t> chunk_rows,
                          std::string_view publish) {
    pg::require_read_write("etl_seed()");
    check_counts(workers, chunk_rows);
    if (publish != "auto" && publish != "manual")
        throw error("22023", "argument \"publish\" must be 'auto' or 'manual'");
    // Rights first, since nobody may keep a stranger's make locked; then again, as it may have changed.
    const pg::string what = pg::format("make \"%.*s\"", static_cast<int>(name.size()), name.data());
    catalog::require_owner(catalog::get_make(name).owner, pg::view(what));
    lock_make(name);
    const catalog::make make = catalog::get_make(name);
    catalog::require_owner(make.owner, pg::view(what));
    catalog::require_login(make.owner);
    const Oid requester = pg::current_role();
    // What went around the triggers on price logs without DDL's event triggers seeing it shows now.
    watch::follow();
    const pg::vector<catalog::source> sources = catalog::sources_of(make);
    const pg::string definition = plan::definition_of(make, sources);

    std::optional<std::int64_t> run_id;
    {
        pg::catalog_scope as_catalog;
        bury_runs_of_other_clusters();
        run_id = resume_newest(newest("seed", "make", name), pg::view(definition), workers, chunk_rows, publish);
        if (!run_id) {
            run_id = insert_run("seed", name, std::nullopt, make.owner, requester, workers.value_or(workers_per_run),
                                chunk_rows, publish, pg::view(definition), pg::view(make.settings));
        } else {
            say_turn(*run_id);
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
        insert_tasks(*run_id, tasks);
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
    say_turn(*run_id);
    kick(*find(*run_id));
    return *run_id;
}

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
        if (const auto joined = resume_newest(newest("fold", "portal", name), pg::view(definition), workers,
                                              std::nullopt, "auto")) {
            kick(*find(*joined));
            return *joined;
        }
        run_id = insert_run("fold", std::nullopt, name, portal.owner, requester, workers.value_or(workers_per_run),
                            std::nullopt, "auto", pg::view(definition), pg::view(catalog::current_settings()));
    }
    const pg::vector<plan::planned_task> tasks = 
        plan::plan_fold(portal, workers.value_or(workers_per_run), false);
    {
        pg::catalog_scope as_catalog;
        insert_tasks(run_id, tasks);
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
