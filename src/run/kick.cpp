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
        pg::query(pg::format("SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE %s AND classid = %u",
                             pg::held_locks(pg::lock_kind::run_worker).c_str(), static_cast<std::uint32_t>(run_id)))
            .int8(0, 0));
}

// How many workers of any run may yet come.
static int free_slots() {
    pg::catalog_scope as_catalog;
    return max_workers - static_cast<int>(pg::query(pg::format("SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE %s",
                                                               pg::held_locks(pg::lock_kind::worker).c_str()))
                                              .int8(0, 0));
}

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
    const int limit = std::min(run.workers, max_workers);
    const int missing = limit - live_workers(run.run_id);
    const int useful = std::min<std::int64_t>(missing, ready_tasks(run.run_id, limit));
    // One comes even where all slots are taken: a worker that leaves meanwhile can't see this run before it is committed.
    if (useful > 0)
        pg::start_workers_at_commit({pg::current_database(), run.owner, run.run_id},
                                    std::clamp(free_slots(), 1, useful));
}

void call_helpers(const record &run, std::int64_t tasks) {
    const int useful = std::min<std::int64_t>(tasks, run.workers - live_workers(run.run_id));
    pg::start_workers_at_commit({pg::current_database(), run.owner, run.run_id}, std::min(useful, free_slots()));
}

namespace {

// Runs that have work, whose turn it is, and no worker, oldest first.
pg::vector<pg::worker_order> neglected_runs() {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        pg::format("SELECT r.run_id, r.owner::oid FROM etl.run r"
                   " WHERE r.state IN ('queued', 'running') AND %s"
                   " AND NOT EXISTS (SELECT FROM etl.turn t WHERE t.run_id = r.run_id) ORDER BY r.run_id",
                   this_cluster().c_str()));
    pg::vector<pg::worker_order> orders;
    for (std::size_t row = 0; row < rows.size(); row++)
        if (pg::can_work_as(rows.oid(row, 1)) && ready_tasks(rows.int8(row, 0), 1) > 0 && live_workers(rows.int8(row, 0)) == 0)
            orders.push_back({pg::current_database(), rows.oid(row, 1), rows.int8(row, 0)});
    return orders;
}

} // namespace

std::optional<std::int64_t> hand_on(const record &left, bool may_return) {
    std::optional<std::int64_t> next;
    int room = free_slots() + 1; // this process's own
    for (const pg::worker_order &order : neglected_runs()) {
        if (order.run == left.run_id && !may_return)
            continue; // it was left for a reason
        if (room-- <= 0)
            break;
        if (!next && order.owner == left.owner)
            next = order.run;
        else
            pg::start_workers_at_commit(order, 1);
    }
    return next;
}

// One worker each: it calls for help by itself.
void kick_all() {
    for (const pg::worker_order &order : neglected_runs())
        pg::start_workers_at_commit(order, 1);
}

} // namespace etl::run
