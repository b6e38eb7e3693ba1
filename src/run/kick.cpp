// C++ regime: starting workers. Who is alive is told by session locks, never by a column.
#include "run/run.hpp"

#include "catalog/relation.hpp"
#include "pg/identity.hpp"
#include "pg/lock.hpp"
#include "pg/message.hpp"
#include "run/claim.hpp"
#include "run/turn.hpp"
#include "settings.hpp"

namespace etl::run {

// Looks at pg_locks instead of trying the locks: a try that succeeds for a moment would turn away a worker that starts.
int live_workers(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    return static_cast<int>(
        pg::query(pg::kept(pg::format("SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE %s AND classid = $1",
                                      pg::held_locks(pg::lock_kind::run_worker).c_str())),
                  {pg::oid(static_cast<std::uint32_t>(run_id))})
            .int8(0, 0));
}

// How many workers of any run may yet come, as far as etl.max_workers goes.
static int free_slots() {
    pg::catalog_scope as_catalog;
    return max_workers -
           static_cast<int>(
               pg::query(pg::kept(pg::format("SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE %s",
                                             pg::held_locks(pg::lock_kind::worker).c_str())))
                   .int8(0, 0));
}

// How many processes the server may yet start for us.
static int free_processes() {
    pg::catalog_scope as_catalog;
    return static_cast<int>(pg::query("SELECT pg_catalog.current_setting('max_worker_processes')::bigint - slots"
                                      " FROM etl.worker_slots()")
                                .int8(0, 0));
}

// How many more workers the run could have at work. Those that it has wait themselves for what is not to be begun yet,
// or must be alone.
static int missing_workers(std::int64_t run_id, int workers) {
    const int limit = std::min(workers, max_workers);
    const int live = live_workers(run_id);
    return static_cast<int>(
        std::min<std::int64_t>(limit - live, live > 0 ? begin_at_once(run_id, limit) : ready_tasks(run_id, limit)));
}

// How many workers of the run have no task: who has just arrived is about to take one.
static int idle_workers(std::int64_t run_id) {
    const int live = live_workers(run_id);
    pg::catalog_scope as_catalog;
    const auto busy = static_cast<int>(
        pg::query(
            pg::kept("SELECT pg_catalog.count(DISTINCT pid) FROM etl.task WHERE run_id = $1 AND state = 'running'"),
            {pg::int8(run_id)})
            .int8(0, 0));
    return std::max(live - busy, 0);
}

namespace {

// Runs that could have (further) workers now.
struct hungry {
    pg::worker_order order;
    int missing;
    bool is_sync;
};

// Runs whose turn it is: syncs that have fewer workers than they could, then others that have none, the oldest first.
pg::vector<hungry> hungry_runs(bool syncs_only) {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query(pg::kept(pg::format("SELECT r.run_id, r.owner::oid, r.workers, r.kind = 'sync' FROM etl.run r"
                                      " WHERE r.state IN ('queued', 'running') AND %s AND (r.kind = 'sync' OR NOT $1)"
                                      " ORDER BY r.kind <> 'sync', r.run_id",
                                      this_cluster().c_str())),
                  {pg::boolean(syncs_only)});
    pg::vector<hungry> found;
    for (std::size_t row = 0; row < rows.size(); row++) {
        const std::int64_t run_id = rows.int8(row, 0);
        if (!pg::can_work_as(rows.oid(row, 1)) || stands_before(run_id))
            continue;
        const int missing = missing_workers(run_id, static_cast<int>(rows.int8(row, 2)));
        if (missing > 0 && (rows.boolean(row, 3) || live_workers(run_id) == 0))
            found.push_back({{pg::current_database(), rows.oid(row, 1), run_id}, missing, rows.boolean(row, 3)});
    }
    return found;
}

// What is free once syncs have what they could have; below 0 where they lack something.
int spare_slots(const pg::vector<hungry> &syncs) {
    int spare = free_slots();
    for (const hungry &sync : syncs)
        spare -= sync.missing;
    return spare;
}

} // namespace

// Where slots are short, registering fails: the run stays queued, etl_progress says why, and whoever looks at the run
// next, or a worker that leaves, tries again.
void kick(const record &run) {
    if (!run.of_this_cluster || (run.state != "queued" && run.state != "running"))
        return;
    catalog::require_login(run.owner);
    if (const std::optional<rival> before = stands_before(run.run_id)) {
        // The other run may end before this request is committed; who hands on then does not see this run yet.
        pg::start_workers_at_commit({pg::current_database(), run.owner, run.run_id}, 1);
        if (live_workers(before->run_id) == 0)
            kick(*find(before->run_id));
        return;
    }
    int useful = missing_workers(run.run_id, run.workers);
    // What a sync has to look at is often less work than the start of a process; else its worker calls for help.
    if (run.kind == "sync")
        useful = std::min(useful, 1);
    // One comes even where all slots are taken: a worker that leaves meanwhile can't see this run before it is
    // committed.
    if (useful > 0)
        pg::start_workers_at_commit({pg::current_database(), run.owner, run.run_id},
                                    std::clamp(free_slots(), 1, useful));
}

static int helpers(const record &run, std::int64_t tasks) {
    const int useful = std::min<std::int64_t>(tasks, run.workers - live_workers(run.run_id));
    return std::min(useful, run.kind == "sync" ? free_slots() : spare_slots(hungry_runs(true)));
}

void call_helpers(const record &run, std::int64_t tasks) {
    pg::start_workers_at_commit({pg::current_database(), run.owner, run.run_id}, helpers(run, tasks));
}

void call_helpers_at_once(const record &run) {
    const std::int64_t tasks = begin_at_once(run.run_id, run.workers);
    for (int missing = tasks > 0 ? helpers(run, tasks) : 0; missing > 0; missing--)
        if (!pg::start_worker({pg::current_database(), run.owner, run.run_id}))
            break;
}

int workers_lacking(Oid owner) {
    pg::vector<hungry> syncs = hungry_runs(true);
    if (syncs.empty())
        return 0;
    const int processes = free_processes();
    // A process that leaves for a run of its own owner goes on with that one. It frees its slot, but not itself, for
    // others: where no other process can start, leaving would help nobody.
    int missing = 0;
    for (const hungry &sync : syncs)
        if (processes > 0 || sync.order.owner == owner)
            missing += std::max(sync.missing - idle_workers(sync.order.run), 0);
    return missing - std::max(std::min(free_slots(), processes), 0);
}

std::optional<std::int64_t> hand_on(const record &left, bool may_return) {
    std::optional<std::int64_t> next;
    int room = free_slots() + 1; // this process's own
    for (const hungry &run : hungry_runs(false)) {
        if (run.order.run == left.run_id && !may_return)
            continue; // it was left for a reason
        if (room <= 0)
            break;
        room -= run.is_sync ? run.missing : 1;
        if (!next && run.order.owner == left.owner)
            next = run.order.run;
        else
            pg::start_workers_at_commit(run.order, 1);
    }
    return next;
}

// One worker each: it calls for help by itself.
void kick_all() {
    for (const hungry &run : hungry_runs(false))
        pg::start_workers_at_commit(run.order, 1);
}

} // namespace etl::run
