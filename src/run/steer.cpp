// C++ regime: steering a run: cancel, pause, resume, retry, publish, revert.
#include "run/run.hpp"

#include "mart/mart.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"
#include "run/turn.hpp"
#include "settings.hpp"
#include "sync/follow.hpp"
#include "sync/standing.hpp"

namespace etl::run {

namespace {

// Locks the run's row, so that its state stands still until the transaction ends, and reads it again.
record lock_run(std::int64_t run_id, const char *function) {
    pg::require_read_write(function);
    get(run_id); // existence and rights first: nobody may wait on a stranger's run
    {
        pg::catalog_scope as_catalog;
        pg::query("SELECT FROM etl.run WHERE run_id = $1 FOR NO KEY UPDATE", {pg::int8(run_id)});
    }
    record run = get(run_id);
    if (!run.of_this_cluster)
        throw error("55000", pg::view(pg::format("run " INT64_FORMAT " belongs to another cluster", run_id)),
                    "This database is a copy; its runs ended with the original.");
    return run;
}

[[noreturn]] void refuse(const record &run, const char *verb, const char *hint = "") {
    throw error("55000", pg::view(pg::format("cannot %s run " INT64_FORMAT ": it is %s", verb, run.run_id, run.state.c_str())),
                {}, hint);
}

// Requests lock the definition before they look at runs, and so does who must not meet one half way.
void lock_definition(std::int64_t run_id) {
    const record asked = get(run_id);
    pg::catalog_scope as_catalog;
    if (asked.make)
        pg::query("SELECT FROM etl.make WHERE make = $1 FOR NO KEY UPDATE", {pg::text(*asked.make)});
    else
        pg::query("SELECT FROM etl.portal WHERE portal = $1 FOR NO KEY UPDATE", {pg::text(*asked.portal)});
}

void set_state(std::int64_t run_id, const char *state, std::string_view why) {
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.run SET state = $2, why = $3, since = pg_catalog.clock_timestamp(), waiting_for = NULL,"
                " ended_at = CASE WHEN $2 IN ('cancelled', 'published') THEN pg_catalog.clock_timestamp() END,"
                " sqlstate = NULL, error = NULL WHERE run_id = $1",
                {pg::int8(run_id), pg::text(state), pg::text(why)});
}

pg::string by_whom(const char *what) {
    return pg::format("%s by %s", what, pg::role_name(pg::current_role()).c_str());
}

// A run whose mart is published can't be stopped any more, though its statistics may not be gathered yet.
bool is_published(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    return !pg::query("SELECT FROM etl.task WHERE run_id = $1 AND kind = 'publish' AND state = 'done'",
                      {pg::int8(run_id)})
                .empty();
}

pg::vector<pg::string> portals_of(std::int64_t run_id) {
    pg::vector<pg::string> portals;
    for (const shape &row : shape_of(run_id))
        portals.push_back(row.portal);
    return portals;
}

} // namespace

void cancel(std::int64_t run_id) {
    const record run = lock_run(run_id, "etl_cancel()");
    if (run.state != "queued" && run.state != "running" && run.state != "paused" && run.state != "loaded") {
        pg::notice(pg::view(pg::format("run " INT64_FORMAT " has ended already: it is %s", run_id, run.state.c_str())));
        return;
    }
    if (is_published(run_id)) {
        pg::notice(pg::view(pg::format("run " INT64_FORMAT " has published its mart already", run_id)),
                   "etl_revert goes back to what was there before.");
        set_state(run_id, "published", pg::view(by_whom("cancelled after publishing,")));
    } else {
        set_state(run_id, "cancelled", pg::view(by_whom("cancelled")));
    }
    pg::cancel_tasks_at_commit(run_id);
    kick_next(run);
}

void pause(std::int64_t run_id) {
    const record run = lock_run(run_id, "etl_pause()");
    if (run.state == "paused")
        return;
    if (run.state != "queued" && run.state != "running")
        refuse(run, "pause");
    set_state(run_id, "paused", pg::view(by_whom("paused")));
}

// A run that was at work when it was paused goes on before others of its make: they would find it half done. Not so one
// that was paused while it waited its turn.
static bool keeps_turn(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    return !pg::query("SELECT FROM etl.run r WHERE r.run_id = $1 AND r.make IS NOT NULL AND r.started_at IS NOT NULL"
                      " AND NOT EXISTS (SELECT FROM etl.run o WHERE o.make = r.make AND o.run_id <> r.run_id"
                      "  AND o.state IN ('running', 'paused'))",
                      {pg::int8(run_id)})
                .empty();
}

void resume(std::int64_t run_id) {
    const record run = lock_run(run_id, "etl_resume()");
    if (run.state == "queued" || run.state == "running") {
        kick(run);
        return;
    }
    if (run.state != "paused")
        refuse(run, "resume",
               run.state == "failed" || run.state == "cancelled" ? "Use etl_retry, or ask for the run again." : "");
    // A seed that was at work when this run was paused may have replaced the partitions, and a claim looks no more at that.
    if (run.make && run.kind != "seed")
        (void)sync::follow_partitions(run_id);
    set_state(run_id, keeps_turn(run_id) ? "running" : "queued", pg::view(by_whom("resumed")));
    say_turn(run_id);
    kick(get(run_id));
}

namespace {

std::int64_t verify_again(const record &run) {
    const pg::result asked = [&run] {
        pg::catalog_scope as_catalog;
        return pg::query("SELECT level, repair FROM etl.run WHERE run_id = $1", {pg::int8(run.run_id)});
    }();
    return request_verify(pg::view(*run.make), pg::view(asked.text(0, 0)), asked.boolean(0, 1));
}

} // namespace

void retry(std::int64_t run_id) {
    pg::require_read_write("etl_retry()");
    lock_definition(run_id);
    const record run = lock_run(run_id, "etl_retry()");
    if (run.state != "failed" && run.state != "cancelled")
        refuse(run, "retry");
    // The request knows whether the run still fits its definitions, and takes it up if it is the newest.
    const std::int64_t taken = run.kind == "fold"     ? request_fold(pg::view(*run.portal), std::nullopt)
                               : run.kind == "verify" ? verify_again(run)
                               : run.kind == "sync" && run.portal ? restate_again(run)
                               : run.kind == "sync"   ? request_sync(pg::view(*run.make), std::nullopt)
                                                    : request_seed(pg::view(*run.make), std::nullopt, std::nullopt, "auto");
    if (taken != run_id)
        throw error("55000", pg::view(pg::format("cannot retry run " INT64_FORMAT, run_id)),
                    "Its definitions have changed, its staging tables are gone, or a newer run has taken its place.",
                    "Ask for a new run.");
}

void publish(std::int64_t run_id) {
    const record run = lock_run(run_id, "etl_publish()");
    if (run.kind != "seed" || (run.state != "queued" && run.state != "running" && run.state != "loaded"))
        refuse(run, "publish");
    {
        pg::catalog_scope as_catalog;
        pg::execute("UPDATE etl.run SET publish = 'auto' WHERE run_id = $1", {pg::int8(run_id)});
    }
    if (run.state == "loaded")
        set_state(run_id, "queued", pg::view(by_whom("publish asked for")));
    say_turn(run_id);
    kick(get(run_id));
}

// Newer rows in the mart, or a run that works at its partitions, now or later.
static void require_last(const record &run) {
    pg::catalog_scope as_catalog;
    const pg::result others = pg::query(
        pg::format("SELECT run_id, state, CASE WHEN run_id > $2 THEN 'newer, and ' ELSE '' END FROM etl.run"
                   " WHERE make = $1 AND run_id <> $2 AND (state IN ('queued', 'running', 'paused', 'loaded')"
                   " OR run_id > $2 AND state = 'published') AND %s ORDER BY run_id DESC LIMIT 1",
                   this_cluster().c_str()),
        {pg::text(*run.make), pg::int8(run.run_id)});
    if (!others.empty())
        throw error("55006", pg::view(pg::format("cannot revert run " INT64_FORMAT, run.run_id)),
                    pg::view(pg::format("Run %s of the same make is %s%s.", others.text(0, 0).c_str(),
                                        others.text(0, 2).c_str(), others.text(0, 1).c_str())));
}

void revert(std::int64_t run_id) {
    pg::require_read_write("etl_revert()");
    lock_definition(run_id); // a sync asked for meanwhile finds the partitions that are there afterwards
    const record run = lock_run(run_id, "etl_revert()");
    if (run.kind != "seed" || run.state != "published")
        refuse(run, "revert");
    const catalog::make make = catalog::get_make(pg::view(*run.make));
    require_last(run);
    const pg::vector<pg::string> portals = portals_of(run_id);
    {
        pg::owner_scope as_owner(run.owner);
        as_owner.settings().set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
        mart::revert(make.mart, portals);
    }
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.run SET why = $2 WHERE run_id = $1",
                {pg::int8(run_id), pg::text(by_whom("reverted"))});
}

void forget_old(std::string_view name) {
    pg::require_read_write("etl_forget_old()");
    const catalog::make make = catalog::get_make(name);
    catalog::require_owner(make.owner, pg::view(pg::format("make \"%s\"", make.name.c_str())));
    pg::vector<pg::string> portals;
    for (const catalog::source &source : catalog::sources_of(make))
        portals.push_back(source.portal);
    pg::owner_scope as_owner(make.owner);
    as_owner.settings().set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
    mart::forget_old(make.mart, portals);
    sync::forget_dropped();
}

} // namespace etl::run
