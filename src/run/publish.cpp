// C++ regime: the publish task of a run.
#include "run/work.hpp"

#include "mart/mart.hpp"
#include "pg/extension.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"
#include "pg/snapshot.hpp"
#include "pg/transaction.hpp"
#include "settings.hpp"

#include <cstring>

namespace etl::run {

namespace {

constexpr std::int64_t look_every = 100;   // ms, at older snapshots
constexpr std::int64_t try_again = 1000;   // ms, after a lock was not to be had

bool still_wanted(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    return !pg::query("SELECT FROM etl.run WHERE run_id = $1 AND state = 'running'", {pg::int8(run_id)}).empty();
}

// Partitioning is not MVCC: a statement whose snapshot is older than the last chunk would find the new partition without
// the rows that it can't see. So nothing is attached before such snapshots are gone, or the DBA's patience is.
// All of it happens outside transactions but for the notes in the catalog. False if the run was stopped meanwhile.
bool wait_for_older_snapshots(const assignment &duty) {
    pg::horizon horizon;
    (void)pg::in_transaction("looking for older snapshots", [&] { horizon = pg::older_snapshots(); });
    int shown = 0;
    for (std::int64_t waited = 0; !horizon.holders.empty(); waited += look_every) {
        const int pid = horizon.holders.front().pid;
        const bool enough = waited >= publish_wait;
        bool wanted = true;
        if (enough || pid != shown)
            (void)pg::in_transaction("waiting for older snapshots", [&] {
                wanted = still_wanted(duty.run.run_id);
                set_waiting_for(duty.run.run_id,
                                enough ? std::string_view()
                                       : pg::view(pg::format("older snapshot of pid %d", pid)));
            });
        else if (waited % 1000 == 0)
            (void)pg::in_transaction("waiting for older snapshots", [&] { wanted = still_wanted(duty.run.run_id); });
        if (!wanted)
            return false;
        shown = pid;
        if (enough) {
            pg::warning(pg::view(pg::format("publishing run " INT64_FORMAT " although pid %d has an older snapshot",
                                            duty.run.run_id, pid)),
                        "Transactions with snapshots taken before the last chunk may miss rows of the new partitions.");
            break;
        }
        pg::sleep(look_every);
        pg::refresh(horizon);
    }
    return true;
}

// Who holds locks on the mart or a partition of it: the reason why a try timed out.
pg::string lock_holders(Oid mart) {
    const pg::result rows = pg::query(
        "SELECT l.relation::regclass::text, l.pid FROM pg_catalog.pg_locks l"
        " WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid()"
        " AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
        " AND l.relation IN (SELECT $1 UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree($1))"
        " ORDER BY l.pid LIMIT 1",
        {pg::regclass(mart)});
    if (rows.empty())
        return pg::string("lock on the mart");
    return pg::format("lock on %s held by pid %s", rows.text(0, 0).c_str(), rows.text(0, 1).c_str());
}

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

void attach_all(const assignment &duty, const task &todo) {
    pg::lock_extension();
    const pg::vector<mart::partition> partitions = stagings(duty.run);
    {
        pg::owner_scope as_owner(duty.run.owner);
        as_owner.settings().set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
        mart::publish(duty.make.mart, partitions);
    }
    set_waiting_for(duty.run.run_id, {});
    mark_done(duty.run, todo, std::nullopt);
}

} // namespace

std::optional<pg::error_report> perform_publish(const assignment &duty, const task &todo) {
    const pg::error_report stopped{"57014", pg::string("the run was stopped before it was published"), {}};
    if (!wait_for_older_snapshots(duty))
        return stopped;
    for (;;) {
        std::optional<pg::error_report> report =
            pg::in_transaction("publishing", [&] { attach_all(duty, todo); });
        if (!report || std::strcmp(report->sqlstate, "55P03") != 0)
            return report;
        bool wanted = true;
        (void)pg::in_transaction("waiting for a lock", [&] {
            wanted = still_wanted(duty.run.run_id);
            set_waiting_for(duty.run.run_id, pg::view(lock_holders(duty.make.mart)));
        });
        if (!wanted)
            return stopped;
        pg::sleep(try_again);
    }
}

} // namespace etl::run
