// C++ regime: what requests share.
#include "run/request.hpp"

#include "catalog/relation.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"
#include "pg/written.hpp"
#include "run/relations.hpp"
#include "settings.hpp"

namespace etl::run {

void check_counts(std::optional<int> workers, std::optional<std::int64_t> chunk_rows) {
    if (workers && (*workers < 1 || *workers > 1000))
        throw error("22023", pg::view(pg::format("argument \"workers\" must be between 1 and 1000, not %d", *workers)));
    if (chunk_rows && *chunk_rows < 1)
        throw error("22023",
                    pg::view(pg::format("argument \"chunk_rows\" must be at least 1, not " INT64_FORMAT, *chunk_rows)));
}

void bury_runs_of_other_clusters() {
    const pg::string others =
        pg::format("state IN ('queued', 'running', 'paused', 'loaded') AND NOT %s", this_cluster().c_str());
    // That there are any is rare, and an UPDATE takes longer to plan.
    if (pg::query(pg::format("SELECT FROM etl.run WHERE %s LIMIT 1", others.c_str())).empty())
        return;
    pg::execute(pg::format("UPDATE etl.run SET state = 'cancelled', error = 'other cluster', why = 'other cluster',"
                           " ended_at = pg_catalog.now(), since = pg_catalog.now()"
                           " WHERE %s",
                           others.c_str()));
}

namespace {

bool has_stopped(const predecessor &run) {
    return run.state == "failed" || run.state == "cancelled";
}

// To look for all relations takes milliseconds.
bool is_whole(std::int64_t run_id) {
    return pg::query(pg::format("SELECT NOT EXISTS (SELECT FROM etl.run_portal p"
                                "  WHERE p.run_id = r.run_id AND p.staging IS NOT NULL"
                                "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = p.staging))"
                                " AND NOT EXISTS (SELECT FROM etl.run_portal p JOIN etl.portal o USING (portal)"
                                "  WHERE p.run_id = r.run_id AND o.state IN ('unfolded', 'stale') AND NOT EXISTS ("
                                "   SELECT FROM etl.task t WHERE t.run_id = r.run_id AND t.portal = o.portal"
                                "   AND t.kind = 'fold' AND t.state <> 'done')) AND %s"
                                " FROM etl.run r WHERE r.run_id = $1",
                                relations_are_there),
                     {pg::int8(run_id)})
        .boolean(0, 0);
}

} // namespace

std::optional<predecessor> newest(const char *kind, std::string_view name) {
    const bool of_portal = std::string_view(kind) == "fold";
    const pg::result rows = pg::query(
        pg::format("SELECT r.run_id, r.state, r.definition FROM etl.run r WHERE r.kind = '%s' AND %s AND %s"
                   " ORDER BY r.run_id DESC LIMIT 1",
                   kind, of_portal ? "r.portal = $1" : "r.make = $1 AND r.portal IS NULL", this_cluster().c_str()),
        {pg::text(name)});
    if (rows.empty())
        return std::nullopt;
    const predecessor found{rows.int8(0, 0), rows.text(0, 1), rows.text(0, 2), false};
    return predecessor{found.run_id, found.state, found.definition, has_stopped(found) && is_whole(found.run_id)};
}

namespace {

bool unfinished(const pg::string &state) {
    return state == "queued" || state == "running" || state == "paused" || state == "loaded";
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

} // namespace

void reopen(std::int64_t run_id, std::string_view why) {
    pg::execute("UPDATE etl.task SET state = 'waiting', crashes = 0, retries = 0, not_before = NULL, ended_at = NULL,"
                " why = $2 WHERE run_id = $1 AND state IN ('waiting', 'failed')",
                {pg::int8(run_id), pg::text(why)});
    // What a sync has found may be old by now: it looks again, and what it has written already then comes out equal.
    pg::execute(
        pg::format("DELETE FROM etl.task WHERE run_id = $1 AND phase IN (%d, %d, %d) AND EXISTS (SELECT FROM etl.task f"
                   " WHERE f.run_id = $1 AND f.phase = %d)",
                   static_cast<int>(plan::phase::apply), static_cast<int>(plan::phase::compare),
                   static_cast<int>(plan::phase::vacuum), static_cast<int>(plan::phase::find)),
        {pg::int8(run_id)});
    pg::execute(
        pg::format(
            "UPDATE etl.task SET state = 'waiting', crashes = 0, retries = 0, not_before = NULL, ended_at = NULL,"
            " why = $2 WHERE run_id = $1 AND phase = %d AND state = 'done'",
            static_cast<int>(plan::phase::find)),
        {pg::int8(run_id), pg::text(why)});
    pg::execute("UPDATE etl.run SET state = 'queued', ended_at = NULL, since = pg_catalog.clock_timestamp(),"
                " sqlstate = NULL, error = NULL, waiting_for = NULL, why = $2 WHERE run_id = $1",
                {pg::int8(run_id), pg::text(why)});
}

std::optional<std::int64_t> resume_newest(const std::optional<predecessor> &before, std::string_view definition,
                                          std::optional<int> workers, std::optional<std::int64_t> chunk_rows,
                                          std::string_view publish) {
    if (!before)
        return std::nullopt;
    if (!unfinished(before->state)) {
        const bool resumable = has_stopped(*before) && pg::view(before->definition) == definition && before->whole;
        if (!resumable)
            return std::nullopt;
        reopen(before->run_id, "asked for again");
        apply_arguments(before->run_id, workers, chunk_rows, publish);
    }
    say_resumed(before->run_id, before->state);
    return before->run_id;
}

std::int64_t insert_run(const new_run &wanted) {
    auto optional_text = [](std::optional<std::string_view> text) {
        return text ? pg::text(*text) : pg::text(std::optional<pg::string>());
    };
    const pg::log_place now = pg::log_place_now();
    return pg::query("INSERT INTO etl.run (kind, make, portal, owner, requested_by, workers, chunk_rows, publish,"
                     " definition, settings, system_identifier, database, chunk_target, position, next_xid)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13, $14::pg_lsn, $15::xid8)"
                     " RETURNING run_id",
                     {pg::text(wanted.kind), optional_text(wanted.make), optional_text(wanted.portal),
                      pg::regrole(wanted.owner), pg::regrole(wanted.requested_by), pg::int4(wanted.workers),
                      pg::int8(wanted.chunk_rows), pg::text(wanted.publish), pg::text(wanted.definition),
                      pg::text(wanted.settings), pg::int8(pg::system_identifier()), pg::oid(pg::current_database()),
                      pg::int4(chunk_target), pg::text(pg::view(now.position)), pg::text(pg::view(now.next))})
        .int8(0, 0);
}

namespace {

// Locks the make, and its portals against being dropped or refreshed, until the request's rows are committed.
void lock_make(std::string_view name) {
    pg::catalog_scope as_catalog;
    // Two requests for one make take turns; the second finds the first one's run.
    pg::query("SELECT FROM etl.make WHERE make = $1 FOR NO KEY UPDATE", {pg::text(name)});
    pg::query(
        "SELECT FROM etl.portal p WHERE EXISTS (SELECT FROM etl.source s WHERE s.make = $1 AND s.portal = p.portal)"
        " ORDER BY p.portal FOR KEY SHARE",
        {pg::text(name)});
}

} // namespace

catalog::make lock_own_make(std::string_view name) {
    // Rights first, since nobody may keep a stranger's make locked; then again, as it may have changed.
    const pg::string what = pg::format("make \"%.*s\"", static_cast<int>(name.size()), name.data());
    catalog::require_owner(catalog::get_make(name).owner, pg::view(what));
    lock_make(name);
    const catalog::make make = catalog::get_make(name);
    catalog::require_owner(make.owner, pg::view(what));
    catalog::require_login(make.owner);
    return make;
}

void warn_of_old_prices(const pg::vector<catalog::source> &sources) {
    for (const catalog::source &source : sources) {
        const catalog::portal portal = catalog::get_portal(pg::view(source.portal));
        if (portal.state == "as_of" && portal.folded_at)
            pg::warning(pg::view(pg::format("the price state of portal \"%s\" is as of %s", portal.name.c_str(),
                                            portal.folded_at->c_str())),
                        "Price events since then are not in it; etl_fold_prices brings it up to date.");
    }
}

} // namespace etl::run
