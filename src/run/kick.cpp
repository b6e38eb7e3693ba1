// C++ regime: starting workers. Who is alive is told by session locks, never by a column.
#include "run/run.hpp"

#include "pg/identity.hpp"
#include "pg/lock.hpp"
#include "pg/message.hpp"
#include "run/claim.hpp"
#include "settings.hpp"

namespace etl::run {

// Looks at pg_locks instead of trying the locks: a try that succeeds for a moment would turn away a worker that starts.
int live_workers(std::int64_t run_id) {
    return static_cast<int>(
        pg::query(pg::format("SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE %s AND classid = %u",
                             pg::held_locks(pg::lock_kind::run_worker).c_str(), static_cast<std::uint32_t>(run_id)))
            .int8(0, 0));
}

// Where slots are short, registering fails: the run stays queued, etl_progress says why, and whoever looks at the run
// next, or a worker that leaves, tries again.
void kick(const record &run) {
    if (!run.of_this_cluster || (run.state != "queued" && run.state != "running"))
        return;
    if (!can_login(run.owner))
        raise_no_login(run.owner);
    const int limit = std::min(run.workers, max_workers);
    const int missing = limit - live_workers(run.run_id);
    const int useful = std::min<std::int64_t>(missing, ready_tasks(run.run_id, limit));
    if (useful > 0)
        pg::start_workers_at_commit({pg::current_database(), run.owner, run.run_id}, useful);
}

namespace {

// Runs that have work and no worker, oldest first.
pg::vector<pg::worker_order> neglected_runs() {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        pg::format("SELECT r.run_id, r.owner::oid FROM etl.run r"
                   " JOIN pg_catalog.pg_roles o ON o.oid = r.owner AND o.rolcanlogin"
                   " WHERE r.state IN ('queued', 'running') AND %s ORDER BY r.run_id",
                   this_cluster().c_str()));
    pg::vector<pg::worker_order> orders;
    for (std::size_t row = 0; row < rows.size(); row++)
        if (ready_tasks(rows.int8(row, 0), 1) > 0 && live_workers(rows.int8(row, 0)) == 0)
            orders.push_back({pg::current_database(), rows.oid(row, 1), rows.int8(row, 0)});
    return orders;
}

} // namespace

void kick_oldest() {
    const pg::vector<pg::worker_order> orders = neglected_runs();
    if (!orders.empty())
        pg::start_workers_at_commit(orders.front(), 1);
}

// One worker each: it calls for help by itself.
void kick_all() {
    for (const pg::worker_order &order : neglected_runs())
        pg::start_workers_at_commit(order, 1);
}

} // namespace etl::run
