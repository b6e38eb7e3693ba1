// C++ regime: the publish task of a run.
#include "run/work.hpp"

#include "catalog/trust.hpp"
#include "mart/mart.hpp"
#include "pg/clock.hpp"
#include "pg/extension.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"
#include "pg/snapshot.hpp"
#include "pg/transaction.hpp"
#include "run/meter.hpp"
#include "settings.hpp"
#include "sync/standing.hpp"

#include <cstring>

namespace etl::run {

namespace {

constexpr std::int64_t look_every = 100;   // ms, at older snapshots
constexpr std::int64_t try_again = 1000;   // ms, after a lock was not to be had

[[noreturn]] void raise_stopped() {
    throw error("57014", "the run was stopped before it was published");
}

// A transaction of its own, whose error goes on to the caller.
template <class F> void in_short_transaction(const char *activity, F &&f) {
    if (const std::optional<pg::error_report> report = pg::in_transaction(activity, f))
        throw error(report->sqlstate, pg::view(report->message), pg::view(report->detail));
}

// Raises 57014 if the run was stopped meanwhile.
void say_waiting(std::int64_t run_id, const pg::string &what) {
    in_short_transaction("waiting to publish", [&] {
        if (!still_wanted(run_id))
            raise_stopped();
        set_waiting_for(run_id, pg::view(what));
    });
}

// Partitioning is not MVCC: a statement whose snapshot is older than the last chunk would find the new partition without
// the rows that it can't see. So nothing is attached before such snapshots are gone, or the DBA's patience is.
// All of it happens outside transactions but for the notes in the catalog.
void wait_for_older_snapshots(std::int64_t run_id, company &with) {
    pg::horizon horizon;
    in_short_transaction("looking for older snapshots", [&] { horizon = pg::older_snapshots(); });
    const std::int64_t begin = pg::microseconds_now();
    std::int64_t said = 0;
    int shown = 0;
    pg::owned_context memory("pg_etl publish");
    while (!horizon.holders.empty()) {
        pg::memory_switch in(memory.get());
        const int pid = horizon.holders.front().pid;
        const std::int64_t now = pg::microseconds_now();
        if (now - begin >= 1000LL * publish_wait) {
            pg::warning(pg::view(pg::format("publishing run " INT64_FORMAT " although pid %d has an older snapshot",
                                            run_id, pid)),
                        "Transactions with snapshots taken before the last chunk may miss rows of the new partitions.");
            return;
        }
        if (pid != shown || now - said >= 1000 * try_again) {
            say_waiting(run_id, pg::format("older snapshot of pid %d", pid));
            shown = pid;
            said = now;
        }
        with.leave();
        pg::sleep(look_every);
        pg::refresh(horizon);
        memory.reset();
    }
}

// Who holds locks on the mart or a partition of it: the reason why a try timed out.
pg::string lock_holders(Oid mart) {
    const pg::result rows = pg::query(
        "SELECT l.relation::regclass::text, l.pid FROM pg_catalog.pg_locks l"
        " WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid()"
        " AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
        " AND l.relation IN (SELECT $1 UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree($1))"
        " ORDER BY l.pid, l.relation <> $1, l.relation LIMIT 1",
        {pg::regclass(mart)});
    if (rows.empty())
        return pg::string("lock on the mart, or a transaction that steers the run");
    return pg::format("lock on %s held by pid %s", rows.text(0, 0).c_str(), rows.text(0, 1).c_str());
}

// Whoever steers the run waits for this transaction from now on, or has stopped it. Readers of the mart stand behind us by
// now, so nobody is waited for: 55P03 if a transaction that steers the run is open.
void hold_run(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    if (pg::query("SELECT FROM etl.run WHERE run_id = $1 AND state IN ('queued', 'running') FOR NO KEY UPDATE NOWAIT",
                  {pg::int8(run_id)})
            .empty())
        raise_stopped();
}

void attach_all(const assignment &duty, const task &todo) {
    const meter spent;
    pg::lock_extension();
    const pg::vector<mart::partition> partitions = stagings(duty.run);
    {
        pg::owner_scope as_owner(duty.run.owner);
        as_owner.settings().set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
        catalog::require_trust_in_mart(duty.make); // ATTACH builds indexes that came since
        mart::publish(duty.make.mart, partitions);
    }
    hold_run(duty.run.run_id);
    set_waiting_for(duty.run.run_id, {});
    sync::note_seed(duty.run.run_id);
    mark_done(duty.run, todo, {spent.costs(std::nullopt)});
}

// Back to work after a wait, which is over as far as the catalog is concerned: who vanishes now is suspected.
void rejoin(std::int64_t run_id, company &with) {
    for (;;) {
        switch (with.join()) {
        case company::entry::joined:
            return say_waiting(run_id, {});
        case company::entry::stopped:
            raise_stopped();
        case company::entry::disturbed:
            pg::sleep(look_every);
        }
    }
}

} // namespace

void perform_publish(const assignment &duty, const task &todo, company &with) {
    wait_for_older_snapshots(duty.run.run_id, with);
    pg::owned_context memory("pg_etl publish");
    for (;;) {
        pg::memory_switch in(memory.get());
        rejoin(duty.run.run_id, with);
        const std::optional<pg::error_report> report =
            pg::in_transaction("publishing", [&] { attach_all(duty, todo); });
        if (!report)
            return;
        if (std::strcmp(report->sqlstate, "55P03") != 0)
            throw error(report->sqlstate, pg::view(report->message), pg::view(report->detail));
        pg::string holders;
        in_short_transaction("waiting for a lock", [&] { holders = lock_holders(duty.make.mart); });
        say_waiting(duty.run.run_id, holders);
        with.leave();
        pg::sleep(try_again);
        memory.reset();
    }
}

} // namespace etl::run
