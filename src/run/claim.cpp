// C++ regime: the life of a task.
#include "run/claim.hpp"

#include "pg/identity.hpp"
#include "run/share.hpp"
#include "run/together.hpp"
#include "run/turn.hpp"
#include "sync/follow.hpp"
#include "sync/standing.hpp"

#include <cstring>

namespace etl::run {

namespace {

// The lowest unfinished phase of each portal of run $1, and of what has none: a few rows, however many tasks there are.
constexpr const char *with_front =
    "WITH front AS MATERIALIZED (SELECT portal, pg_catalog.min(phase) AS phase FROM etl.task"
    " WHERE run_id = $1 AND state <> 'done' GROUP BY portal) ";

// A task is ready when nothing of a lower phase is unfinished, for its portal or for the run; a publish that waits for
// etl_publish is not, nor a look for changes while others of its portal are at work: what it finds takes the place of
// what was found before, and two chunks of one lid would both insert it.
static_assert(static_cast<int>(plan::phase::find) == 7);
constexpr const char *is_ready =
    " t.state = 'waiting' AND NOT EXISTS (SELECT FROM front f WHERE f.phase < t.phase"
    " AND (t.portal IS NULL OR f.portal IS NULL OR f.portal = t.portal))"
    " AND (t.phase <> 7 OR NOT EXISTS (SELECT FROM etl.task o WHERE o.run_id = t.run_id AND o.portal = t.portal"
    " AND o.state = 'running'))"
    " AND (t.kind <> 'publish' OR EXISTS (SELECT FROM etl.run r WHERE r.run_id = t.run_id AND r.publish = 'auto'))";

// Tasks in state running whose session lock nobody holds: their worker vanished without a word.
pg::result orphans(std::int64_t run_id) {
    return pg::query(pg::kept(pg::format(
                         "SELECT t.task_no FROM etl.task t WHERE t.run_id = $1 AND t.state = 'running' AND NOT EXISTS ("
                         "SELECT FROM pg_catalog.pg_locks WHERE %s AND classid = $2 AND objid = t.task_no::oid)",
                         pg::held_locks(pg::lock_kind::task).c_str())),
                     {pg::int8(run_id), pg::oid(static_cast<std::uint32_t>(run_id))});
}

// The attempt counts as a suspicion, not as a failure: the task may only have been near.
void take_back_orphans(const record &run) {
    const pg::result found = orphans(run.run_id);
    for (std::size_t row = 0; row < found.size(); row++) {
        const auto task_no = static_cast<std::int32_t>(found.int8(row, 0));
        const pg::scoped_lock mine(lock_of(run.run_id, task_no));
        if (!mine)
            continue; // another worker takes it back
        // A publish that waited was in nobody's company: it did not bring the server down.
        pg::execute(
            "UPDATE etl.task t SET crashes = crashes - 1 WHERE run_id = $1 AND task_no = $2 AND kind = 'publish'"
            " AND EXISTS (SELECT FROM etl.run r WHERE r.run_id = t.run_id AND r.waiting_for IS NOT NULL)",
            {pg::int8(run.run_id), pg::int4(task_no)});
        pg::execute(
            pg::format("UPDATE etl.task SET crashes = crashes + 1,"
                       " state = CASE WHEN crashes + 1 < %d THEN 'waiting' ELSE 'failed' END,"
                       " why = pg_catalog.format('worker process %%s vanished', pid),"
                       " sqlstate = CASE WHEN crashes + 1 < %d THEN sqlstate ELSE '57P02' END,"
                       " error = CASE WHEN crashes + 1 < %d THEN error ELSE pg_catalog.format('set aside: the worker"
                       " process vanished %%s times, the last %d times while the task ran alone', crashes + 1) END,"
                       " ended_at = CASE WHEN crashes + 1 < %d THEN NULL ELSE pg_catalog.clock_timestamp() END"
                       " WHERE run_id = $1 AND task_no = $2 AND state = 'running'",
                       crashes_before_set_aside, crashes_before_set_aside, crashes_before_set_aside,
                       crashes_before_set_aside - crashes_before_alone, crashes_before_set_aside),
            {pg::int8(run.run_id), pg::int4(task_no)});
    }
}

task read_task(const pg::result &rows) {
    return {static_cast<std::int32_t>(rows.int8(0, 0)),
            rows.text(0, 1),
            rows.optional_text(0, 2),
            static_cast<plan::phase>(rows.int8(0, 9)),
            {rows.optional_int8(0, 3), rows.optional_int8(0, 4)},
            rows.optional_int8_array(0, 10),
            rows.is_null(0, 5) ? InvalidOid : rows.oid(0, 5),
            static_cast<std::int32_t>(rows.int8(0, 6)),
            static_cast<std::int32_t>(rows.int8(0, 7)),
            rows.boolean(0, 8)};
}

// Ends the run if nothing is ready or running: what still waits then stands behind a failure, or behind etl_publish.
// A mart that is published stays so, though gathering its statistics may have failed. False if the run has been
// steered since it was looked at: the conditions hold for the row as it is when it is locked.
bool end_run(const record &run) {
    return pg::execute(
               "UPDATE etl.run r SET state = CASE WHEN l.published THEN 'published' WHEN f.task_no IS NOT NULL THEN "
               "'failed'"
               "  WHEN l.waiting THEN 'loaded' ELSE 'done' END,"
               " ended_at = CASE WHEN f.task_no IS NOT NULL OR NOT l.waiting THEN pg_catalog.clock_timestamp() END,"
               " since = pg_catalog.clock_timestamp(), waiting_for = NULL, why = NULL, sqlstate = f.sqlstate,"
               " error = pg_catalog.concat_ws(' ', f.kind, 'of portal ' || f.portal, CASE WHEN f.kind IN ('load', "
               "'fold')"
               "  THEN pg_catalog.format('[%s, %s)', f.lid_from, f.lid_to) END) || ': ' || f.error"
               " FROM (SELECT COALESCE(pg_catalog.bool_or(t.state = 'waiting'), false) AS waiting,"
               "  COALESCE(pg_catalog.bool_or(t.kind = 'publish' AND t.state = 'done'), false) AS published"
               "  FROM etl.task t WHERE t.run_id = $1) l LEFT JOIN LATERAL (SELECT * FROM etl.task t"
               "  WHERE t.run_id = $1 AND t.state = 'failed' ORDER BY t.task_no LIMIT 1) f ON true"
               " WHERE r.run_id = $1 AND r.state IN ('queued', 'running')"
               " AND (NOT l.waiting OR f.task_no IS NOT NULL OR r.publish = 'manual')",
               {pg::int8(run.run_id)}) > 0;
}

bool has_done_all(const record &run) {
    return pg::query("SELECT FROM etl.task WHERE run_id = $1 AND state <> 'done' LIMIT 1", {pg::int8(run.run_id)})
        .empty();
}

// A request may add tasks to a sync while this worker waits to end it: such a run has not ended. True if that was so.
bool go_on_with_new_tasks(const record &run) {
    return pg::execute("UPDATE etl.run r SET state = 'queued', ended_at = NULL, since = pg_catalog.clock_timestamp(),"
                       " why = 'asked for again' WHERE run_id = $1 AND NOT EXISTS (SELECT FROM etl.task t"
                       " WHERE t.run_id = $1 AND t.state = 'failed')",
                       {pg::int8(run.run_id)}) > 0;
}

// Shows the run as running, or says that it can't. Never waits: whoever steers the run may keep its row for long. A run
// that takes turns with others must show it before it begins, any other does so with a later claim.
bool show_running(const record &run) {
    if (run.state != "queued" ||
        pg::execute(
            "UPDATE etl.run SET state = 'running', since = pg_catalog.clock_timestamp(), why = NULL,"
            " started_at = COALESCE(started_at, pg_catalog.clock_timestamp()) WHERE run_id ="
            " (SELECT run_id FROM etl.run WHERE run_id = $1 AND state = 'queued' FOR NO KEY UPDATE SKIP LOCKED)",
            {pg::int8(run.run_id)}) > 0)
        return true;
    return !run.make ||
           !pg::query("SELECT FROM etl.run WHERE run_id = $1 AND state = 'running'", {pg::int8(run.run_id)}).empty();
}

claim_result later(std::int64_t milliseconds) {
    claim_result result;
    result.what = verdict::wait;
    result.milliseconds = milliseconds;
    return result;
}

// Gives up the locks of a task, and of those along with it, unless it comes to be claimed.
class held_claim {
public:
    held_claim(std::int64_t run_id, const task &wanted) noexcept : run_id_(run_id), wanted_(&wanted) {}
    ~held_claim() {
        if (wanted_)
            release(run_id_, *wanted_);
    }
    held_claim(const held_claim &) = delete;
    held_claim &operator=(const held_claim &) = delete;
    void keep() noexcept { wanted_ = nullptr; }

private:
    std::int64_t run_id_;
    const task *wanted_;
};

bool may_go_on(const record &run) {
    return !pg::query(pg::kept("SELECT FROM etl.run WHERE run_id = $1 AND state IN ('queued', 'running')"),
                      {pg::int8(run.run_id)})
                .empty();
}

} // namespace

pg::lock_key lock_of(std::int64_t run_id, std::int32_t task_no) {
    return {pg::lock_kind::task, static_cast<std::uint32_t>(run_id), static_cast<std::uint32_t>(task_no)};
}

pg::vector<std::int64_t> numbers_of(const task &claimed) {
    pg::vector<std::int64_t> numbers{claimed.task_no};
    for (const along &other : claimed.together)
        numbers.push_back(other.task_no);
    return numbers;
}

bool may_pass(const char *sqlstate) noexcept {
    for (const char *passing : {"40001", "40P01", "55P03", "57014", "55006"})
        if (std::strcmp(sqlstate, passing) == 0)
            return true;
    return std::strncmp(sqlstate, "53", 2) == 0;
}

std::int64_t ready_tasks(std::int64_t run_id, std::int64_t limit) {
    pg::catalog_scope as_catalog;
    const std::int64_t ready =
        pg::query(
            pg::kept(pg::format("%s SELECT pg_catalog.count(*) FROM (SELECT FROM etl.task t WHERE t.run_id = $1 AND %s"
                                " LIMIT $2) r",
                                with_front, is_ready)),
            {pg::int8(run_id), pg::int8(limit)})
            .int8(0, 0);
    if (ready >= limit)
        return ready;
    const std::int64_t lost = static_cast<std::int64_t>(orphans(run_id).size());
    // A run that nothing of is ready or running still needs somebody to end it.
    const bool idle =
        pg::query(pg::kept("SELECT FROM etl.task WHERE run_id = $1 AND state = 'running' LIMIT 1"), {pg::int8(run_id)})
            .empty();
    return ready + lost + (ready == 0 && idle ? 1 : 0);
}

std::int64_t begin_at_once(std::int64_t run_id, std::int64_t limit) {
    pg::catalog_scope as_catalog;
    return pg::query(pg::kept(pg::format(
                         "%s SELECT pg_catalog.count(*) FROM (SELECT FROM etl.task t WHERE t.run_id = $1 AND %s"
                         " AND t.crashes < %d AND (t.not_before IS NULL"
                         "  OR t.not_before <= pg_catalog.clock_timestamp()) LIMIT $2) r",
                         with_front, is_ready, crashes_before_alone)),
                     {pg::int8(run_id), pg::int8(limit)})
        .int8(0, 0);
}

claim_result claim(const record &run, bool alone) {
    pg::catalog_scope as_catalog;
    claim_result result;
    if (!may_go_on(run))
        return result;
    switch (whose_turn(run)) {
    case turn::others:
        result.what = verdict::turn;
        return result;
    case turn::contested:
        return later(5);
    case turn::ours:
        break;
    }
    take_back_orphans(run);

    // Suspected tasks come last, so that one that brings the server down does so when the rest is done; later phases
    // come first, since their pages are warm. Portals come one by one, so that the indexes of one are built beside the
    // loads of the next, the largest first, so that what remains to be done after the last load is little.
    const pg::result found = pg::query(
        pg::kept(pg::format(
            "%s SELECT t.task_no, t.kind, t.portal, t.lid_from, t.lid_to, t.parent_index::oid, t.attempts + 1,"
            " t.retries, t.cuts IS NOT NULL, t.phase, t.lids FROM etl.task t"
            " LEFT JOIN etl.run_portal p ON p.run_id = t.run_id AND p.portal = t.portal"
            " WHERE t.run_id = $1 AND %s AND t.crashes %s %d"
            " AND (t.not_before IS NULL OR t.not_before <= pg_catalog.clock_timestamp())"
            " ORDER BY t.crashes, t.phase DESC, p.estimated_rows DESC NULLS LAST, t.portal COLLATE \"C\","
            " t.lid_from NULLS FIRST, t.task_no LIMIT 1 FOR UPDATE OF t SKIP LOCKED",
            with_front, is_ready, alone ? ">=" : "<", crashes_before_alone)),
        {pg::int8(run.run_id)});
    if (!found.empty()) {
        task wanted = read_task(found);
        // Between this lock and the commit nobody cancels the run, so that whoever does sees the task's lock.
        if (!show_running(run) ||
            !pg::try_lock_in_transaction({pg::lock_kind::steer, static_cast<std::uint32_t>(run.run_id), 0},
                                         pg::lock_strength::shared))
            return later(20);
        if (run.state == "queued" && run.make && run.kind != "seed" && sync::follow_partitions(run.run_id))
            return later(1);
        if (!may_go_on(run))
            return result;
        if (pg::try_lock(lock_of(run.run_id, wanted.task_no))) {
            held_claim mine(run.run_id, wanted);
            if (wanted.divisible)
                take_share(run, wanted);
            take_together(run, wanted);
            pg::execute(pg::kept("UPDATE etl.task SET state = 'running', attempts = attempts + 1,"
                                 " pid = pg_catalog.pg_backend_pid(), started_at = pg_catalog.clock_timestamp(),"
                                 " snapshot = CASE WHEN kind = 'fold' THEN pg_catalog.pg_current_snapshot() END,"
                                 " ended_at = NULL, not_before = NULL, why = NULL, cuts = NULL"
                                 " WHERE run_id = $1 AND task_no = ANY ($2)"),
                        {pg::int8(run.run_id), pg::int8_array(numbers_of(wanted))});
            if (wanted.phase != plan::phase::find)
                result.others = ready_tasks(run.run_id, run.workers);
            result.claimed = wanted;
            result.what = verdict::claimed;
            mine.keep();
            return result;
        }
    }
    const pg::result left = pg::query(
        pg::kept(pg::format(
            "%s SELECT pg_catalog.count(*) FILTER (WHERE %s), pg_catalog.count(*) FILTER (WHERE t.state = 'running'),"
            " pg_catalog.ceil(1000 * EXTRACT(epoch FROM pg_catalog.min(t.not_before) - "
            "pg_catalog.clock_timestamp()))::bigint,"
            " pg_catalog.count(*) FILTER (WHERE %s AND t.crashes >= %d)"
            " FROM etl.task t WHERE t.run_id = $1 AND t.state IN ('waiting', 'running')",
            with_front, is_ready, is_ready, crashes_before_alone)),
        {pg::int8(run.run_id)});
    if (left.int8(0, 0) > 0) {
        result.what = !alone && left.int8(0, 0) == left.int8(0, 3) ? verdict::alone : verdict::wait;
        result.milliseconds = std::clamp<std::int64_t>(left.optional_int8(0, 2).value_or(20), 20, 500);
    } else if (left.int8(0, 1) == 0) {
        // Where the run could not be ended, its row has changed meanwhile: look again.
        result.what = end_run(run) ? verdict::ended : verdict::wait;
        if (result.what == verdict::ended && run.kind == "sync") {
            if (has_done_all(run))
                sync::note_sync(run.run_id);
            else if (go_on_with_new_tasks(run))
                result.what = verdict::wait;
        }
        result.milliseconds = 20;
    }
    return result;
}

void release(std::int64_t run_id, const task &done) noexcept {
    pg::unlock(lock_of(run_id, done.task_no));
    for (const along &other : done.together)
        pg::unlock(lock_of(run_id, other.task_no));
}

void mark_done(const record &run, const task &done, const outcome &result) {
    pg::catalog_scope as_catalog;
    // The attempt's number tells whether the claim is still ours.
    const std::uint64_t marked = pg::execute(
        pg::kept("UPDATE etl.task SET state = 'done', rows = $4, costs = $5::jsonb, digest = $6, mark = $7, rates = "
                 "$8, compared = $9,"
                 " ended_at = pg_catalog.clock_timestamp(), why = NULL, sqlstate = NULL, error = NULL"
                 " WHERE run_id = $1 AND task_no = ANY ($2) AND state = 'running' AND attempts = $3"),
        {pg::int8(run.run_id), pg::int8_array(numbers_of(done)), pg::int4(done.attempt), pg::int8(result.rows),
         pg::text(result.costs), pg::int8(result.digest),
         result.mark ? pg::timestamptz(*result.mark) : pg::null_of(pg::timestamptz(0).type), pg::int8(result.rates),
         pg::int8(result.compared)});
    if (marked != 1 + done.together.size())
        throw error("55000", "the task was taken over by another worker", "Nothing of this attempt is kept.");
}

void mark_error(const record &run, const task &failed, const pg::error_report &report) {
    pg::string text = report.message;
    if (!report.detail.empty())
        text.append(" (").append(report.detail).append(")");
    pg::catalog_scope as_catalog;
    const bool stopped =
        pg::query("SELECT FROM etl.run WHERE run_id = $1 AND state IN ('queued', 'running')", {pg::int8(run.run_id)})
            .empty();
    const bool again = stopped || (may_pass(report.sqlstate) && failed.retries < most_retries);
    // Where the run was stopped, the interruption is no fault of the task. Else: 1, 2, 4, 8, then every 10 seconds.
    const std::int64_t backoff = stopped ? 0 : std::min<std::int64_t>(10000, 1000LL << std::min(failed.retries, 4));
    if (!failed.together.empty())
        return part(run, failed, report.sqlstate, pg::view(text), again ? backoff : 0);
    pg::execute("UPDATE etl.task SET state = CASE WHEN $4 THEN 'waiting' ELSE 'failed' END, why = $5,"
                " retries = retries + CASE WHEN $8 THEN 0 ELSE 1 END,"
                " sqlstate = $6, error = $5, ended_at = CASE WHEN $4 THEN NULL ELSE pg_catalog.clock_timestamp() END,"
                " not_before = CASE WHEN $4 THEN pg_catalog.clock_timestamp() + $7 * interval '1 millisecond' END"
                " WHERE run_id = $1 AND task_no = $2 AND state = 'running' AND attempts = $3",
                {pg::int8(run.run_id), pg::int4(failed.task_no), pg::int4(failed.attempt), pg::boolean(again),
                 pg::text(pg::view(text)), pg::text(report.sqlstate), pg::int8(backoff), pg::boolean(stopped)});
}

void fail(std::int64_t run_id, const pg::error_report &report) {
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.run SET state = 'failed', ended_at = pg_catalog.clock_timestamp(), waiting_for = NULL,"
                " since = pg_catalog.clock_timestamp(), sqlstate = $2, error = $3, why = 'nobody can look for its work'"
                " WHERE run_id = $1 AND state IN ('queued', 'running')",
                {pg::int8(run_id), pg::text(report.sqlstate), pg::text(pg::view(report.message))});
}

void set_waiting_for(std::int64_t run_id, std::string_view what) {
    pg::catalog_scope as_catalog;
    // Never waits: whoever steers the run may keep its row for long.
    pg::execute("UPDATE etl.run SET waiting_for = NULLIF($2, '') WHERE run_id = (SELECT run_id FROM etl.run"
                " WHERE run_id = $1 AND waiting_for IS DISTINCT FROM NULLIF($2, '') FOR NO KEY UPDATE SKIP LOCKED)",
                {pg::int8(run_id), pg::text(what)});
}

} // namespace etl::run
