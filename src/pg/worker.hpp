// Boundary: worker processes: starting them, now or when the transaction commits, and what each needs to live.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// What a worker is told when it is started.
struct worker_order {
    Oid database;
    Oid owner; // the role it logs in as
    std::int64_t run;
};

// Registers a worker; false where max_worker_processes leaves no slot. Neither raises nor allocates.
bool start_worker(const worker_order &order) noexcept;

// Registers `count` workers when the current transaction commits; nothing starts after ROLLBACK or ROLLBACK TO, and
// PREPARE TRANSACTION is refused (0A000), for a prepared transaction may be committed by anybody at any time.
void start_workers_at_commit(const worker_order &order, int count);

// Called after a commit that found no slot for a worker, in the process that committed. One callback for all.
void on_failed_start(void (*callback)(const worker_order &) noexcept) noexcept;

// Sends SIGINT (cancels the statement) to whoever works on a task of the run when the current transaction commits, under
// the same rules. Claims wait for the commit, so nobody slips through who saw the run as it was.
void cancel_tasks_at_commit(std::int64_t run);

// The order of this worker process; logs it in as the owner. Raises FATAL if the owner can't log in.
worker_order connect_worker();

void report_application_name(const char *name);

// Sleeps until the time is over or somebody sets the latch; interrupts (cancel, terminate) are served, the postmaster's
// death ends the process. Must be called outside a transaction, or in one without a snapshot.
void sleep(std::int64_t milliseconds);

// Reads the configuration files again if the postmaster said so.
void reload_configuration();

// Called before this process leaves for whatever reason but a normal end.
void on_unexpected_exit(void (*callback)() noexcept);
void expect_exit() noexcept;

} // namespace etl::pg
