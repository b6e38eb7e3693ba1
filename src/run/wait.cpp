// C++ regime: waiting for the end of a run.
#include "run/wait.hpp"

#include "pg/clock.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"

namespace etl::run {

namespace {

constexpr std::int64_t millisecond = 1000; // in µs, as all times here
// Whether it has ended, a row of the catalog, is asked often at first: what is learnt late is a small part of the wait.
constexpr std::int64_t ask_at_least_every = 20 * millisecond, ask_at_most_every = 1 * millisecond, ask_share = 16;
// How it goes, and who works at it: planning that takes ms, and a worker takes a moment to start.
constexpr std::int64_t look_first = 100 * millisecond, look_every = 500 * millisecond;
constexpr std::int64_t speak_every = 3000 * millisecond;
constexpr std::int64_t kick_first = 1000 * millisecond;
constexpr std::int64_t kick_at_most = 60000 * millisecond;

struct sight {
    pg::string state;
    std::int64_t workers;
    std::optional<pg::string> sqlstate;
    std::optional<pg::string> error;
    pg::string line;
};

sight sight_of(std::int64_t run_id, const pg::result &rows) {
    if (rows.empty())
        throw error("42704", pg::view(pg::format("run " INT64_FORMAT " is gone", run_id)));
    return {rows.text(0, 0), rows.int8(0, 1), rows.optional_text(0, 2), rows.optional_text(0, 3), rows.text(0, 4)};
}

sight look(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    return sight_of(
        run_id,
        pg::query(
            "SELECT state, workers, sqlstate, error, pg_catalog.format('%s %s%% %s of %s tasks, %s, %s rows%s%s%s',"
            " bar, percent, done, total, COALESCE(phase, state), rows,"
            " ', ' || rows_per_second::bigint || ' rows/s',"
            " ', ' || pg_catalog.date_trunc('second', eta) || ' left', ', waiting for ' || waiting_for)"
            " FROM etl.run_progress WHERE run_id = $1",
            {pg::int8(run_id)}));
}

// Who works at a run, and what it waits for, takes milliseconds to plan, and is nobody and nothing at its end.
sight look_at_end(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    return sight_of(
        run_id,
        pg::query("SELECT state, 0, sqlstate, error, pg_catalog.format('%s %s%% %s of %s tasks, %s, %s rows%s', bar,"
                  " percent, done, total, COALESCE(phase, state), rows, ', ' || (rows / GREATEST(EXTRACT("
                  "epoch FROM ended_at - started_at), 0.001))::bigint || ' rows/s')"
                  " FROM etl.run_done WHERE run_id = $1",
                  {pg::int8(run_id)}));
}

bool may_have_ended(const record &run) {
    return run.state != "queued" && run.state != "running" && run.state != "paused";
}

// A run that is loaded is over for who waits, but waits itself.
bool has_ended(const record &run) {
    return may_have_ended(run) && run.state != "loaded" && run.of_this_cluster;
}

bool ended(std::int64_t run_id, const sight &seen) {
    if (seen.state == "failed")
        throw error(seen.sqlstate.value_or(pg::string("XX000")).c_str(),
                    pg::view(seen.error.value_or(pg::string("the run failed"))),
                    pg::view(pg::format("Run " INT64_FORMAT " failed.", run_id)),
                    "The view etl_tasks has the tasks; etl_retry tries those that failed again.");
    if (seen.state == "cancelled")
        throw error("57014", pg::view(pg::format("run " INT64_FORMAT " was cancelled", run_id)),
                    pg::view(seen.error.value_or(pg::string())));
    return seen.state == "published" || seen.state == "loaded" || seen.state == "done";
}

// Who waits for a verification wants to know.
void tell_differences(const record &run) {
    if (run.kind != "verify")
        return;
    pg::catalog_scope as_catalog;
    const pg::result found =
        pg::query("SELECT pg_catalog.count(*) FROM etl.difference WHERE run_id = $1", {pg::int8(run.run_id)});
    if (found.int8(0, 0) > 0)
        pg::warning(pg::view(pg::format("run " INT64_FORMAT " has found differences: %s", run.run_id,
                                        found.text(0, 0).c_str())),
                    pg::view(pg::format("SELECT * FROM etl_differences(" INT64_FORMAT ") shows them.", run.run_id)));
}

} // namespace

void wait(pg::procedure &call, std::int64_t run_id, std::optional<std::int64_t> microseconds) {
    const std::int64_t begin = pg::microseconds_now();
    std::int64_t looked = begin + look_first - look_every;
    std::int64_t spoken = begin - speak_every;
    std::int64_t kicked = begin;
    std::int64_t patience = 0;
    pg::owned_context memory("etl_wait");

    for (;;) {
        pg::memory_switch in(memory.get());
        const std::int64_t now = pg::microseconds_now();
        const record run = get(run_id); // rights may be taken away while we wait
        if (may_have_ended(run) || now - looked >= look_every) {
            looked = now;
            const sight seen = has_ended(run) ? look_at_end(run_id) : look(run_id);
            const bool over = ended(run_id, seen);
            if (over || now - spoken >= speak_every) {
                pg::notice(pg::view(pg::format("run " INT64_FORMAT ": %s", run_id, seen.line.c_str())));
                spoken = now;
            }
            if (over)
                return tell_differences(run);
            // A run that nobody works on is taken up again, at growing distances where there is no slot for a worker.
            if (seen.workers == 0 && seen.state == "queued" && now - kicked >= patience) {
                kick(run);
                patience = std::clamp(2 * patience, kick_first, kick_at_most);
                kicked = now;
            }
        }
        call.commit();
        if (microseconds && now - begin >= *microseconds)
            throw error("57014", pg::view(pg::format("gave up waiting for run " INT64_FORMAT, run_id)),
                        "The timeout of etl_wait is over; the run goes on.");
        pg::sleep(std::clamp((now - begin) / ask_share, ask_at_most_every, ask_at_least_every) / millisecond);
        memory.reset();
    }
}

} // namespace etl::run
