// PG regime: the launcher. It is connected to no database. At server start, after a crash, and when a worker of ours died
// it starts a short worker in each database of etl.databases, which starts workers for interrupted runs and leaves.
// Workers for which a commit found no slot are left to it: who wanted one may hold the last slot itself while it leaves.
#include "run/launcher.hpp"

#include "pg/extension.hpp"
#include "pg/function.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"
#include "run/run.hpp"
#include "settings.hpp"

#include <atomic>

extern "C" {
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"
}

namespace etl::run {

namespace {

constexpr int orders_at_most = 64;

// Shared with every process; written by the launcher alone but for `died` and the orders.
struct shared_state {
    Latch *launcher;
    std::atomic<bool> died; // a worker died since the launcher looked last
    slock_t mutex;          // of what follows
    int order_count;
    pg::worker_order orders[orders_at_most]; // workers that found no slot
};

shared_state *shared = nullptr;
shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;

void request_memory() {
    if (previous_request_hook)
        previous_request_hook();
    ::RequestAddinShmemSpace(MAXALIGN(sizeof(shared_state)));
}

void start_memory() {
    if (previous_startup_hook)
        previous_startup_hook();
    bool found = false;
    ::LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    shared = static_cast<shared_state *>(::ShmemInitStruct("pg_etl launcher", sizeof(shared_state), &found));
    if (!found) {
        new (shared) shared_state{};
        SpinLockInit(&shared->mutex);
    }
    ::LWLockRelease(AddinShmemInitLock);
}

void forget_launcher(int, Datum) {
    shared->launcher = nullptr;
}

bool start_scout(const char *database) {
    BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    ::pg_snprintf(worker.bgw_name, BGW_MAXLEN, "pg_etl scout for database %s", database);
    ::strlcpy(worker.bgw_type, "pg_etl scout", BGW_MAXLEN);
    ::strlcpy(worker.bgw_library_name, "pg_etl", BGW_MAXLEN);
    ::strlcpy(worker.bgw_function_name, "pg_etl_scout_main", BGW_MAXLEN);
    ::strlcpy(worker.bgw_extra, database, BGW_EXTRALEN);
    return ::RegisterDynamicBackgroundWorker(&worker, nullptr);
}

// False if a slot was missing for one of them.
bool look_into_databases() {
    bool all = true;
    char *list = ::pstrdup(databases);
    List *names = NIL;
    if (!::SplitIdentifierString(list, ',', &names)) {
        ereport(LOG, (errmsg("invalid list syntax in parameter \"%s\"", "etl.databases")));
        return true;
    }
    ListCell *cell;
    foreach (cell, names)
        all = start_scout(static_cast<const char *>(lfirst(cell))) && all;
    return all;
}

// One of a run is enough, for it calls for help by itself. What finds no place is lost: a worker that leaves, a request or
// etl_wait finds the run again.
void leave_to_launcher(const pg::worker_order &order) noexcept {
    if (!shared)
        return;
    SpinLockAcquire(&shared->mutex);
    bool known = shared->order_count == orders_at_most;
    for (int i = 0; i < shared->order_count && !known; i++)
        known = shared->orders[i].database == order.database && shared->orders[i].run == order.run;
    if (!known)
        shared->orders[shared->order_count++] = order;
    SpinLockRelease(&shared->mutex);
    if (Latch *latch = shared->launcher)
        ::SetLatch(latch);
}

// Starts what was left to the launcher, oldest first. False if there is still no slot.
bool start_ordered() {
    for (;;) {
        SpinLockAcquire(&shared->mutex);
        const bool none = shared->order_count == 0;
        const pg::worker_order oldest = shared->orders[0];
        SpinLockRelease(&shared->mutex);
        if (none)
            return true;
        if (!pg::start_worker(oldest))
            return false;
        SpinLockAcquire(&shared->mutex);
        // Others only append.
        shared->order_count--;
        memmove(shared->orders, shared->orders + 1, sizeof shared->orders[0] * static_cast<std::size_t>(shared->order_count));
        SpinLockRelease(&shared->mutex);
    }
}

// After a death the launcher looks at once, and once more a little later: the first look may have come before the dead
// worker's locks were gone.
[[noreturn]] void launch() {
    constexpr long again_after = 3000; // ms
    constexpr long first_rest = 50;    // ms, between tries to start what was left to it; doubled up to again_after
    ::pqsignal(SIGTERM, die);
    ::pqsignal(SIGHUP, ::SignalHandlerForConfigReload);
    ::BackgroundWorkerUnblockSignals();
    // To no database, but so that pg_stat_activity shows it.
    ::BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
    ::before_shmem_exit(forget_launcher, 0);
    shared->launcher = MyLatch;
    const MemoryContext memory = AllocSetContextCreate(TopMemoryContext, "pg_etl launcher", ALLOCSET_DEFAULT_SIZES);
    ::MemoryContextSwitchTo(memory);
    int looks = 2;
    long rest = first_rest;
    for (;;) {
        const bool all_started = start_ordered();
        rest = all_started ? first_rest : Min(2 * rest, again_after);
        if (shared->died.exchange(false))
            looks = 2;
        if (looks > 0) {
            // Where max_worker_processes left no slot for a scout, the look does not count.
            if (look_into_databases())
                looks--;
            ::MemoryContextReset(memory);
        }
        (void)::WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (looks > 0 || !all_started ? WL_TIMEOUT : 0),
                          all_started ? again_after : rest, PG_WAIT_EXTENSION);
        ::ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ::ProcessConfigFile(PGC_SIGHUP);
            looks = 1;
        }
    }
}

} // namespace

void register_launcher() {
    pg::on_failed_start(leave_to_launcher);
    if (!process_shared_preload_libraries_in_progress)
        return;
    previous_request_hook = shmem_request_hook;
    shmem_request_hook = request_memory;
    previous_startup_hook = shmem_startup_hook;
    shmem_startup_hook = start_memory;

    BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = 1;
    ::strlcpy(worker.bgw_name, "pg_etl launcher", BGW_MAXLEN);
    ::strlcpy(worker.bgw_type, "pg_etl launcher", BGW_MAXLEN);
    ::strlcpy(worker.bgw_library_name, "pg_etl", BGW_MAXLEN);
    ::strlcpy(worker.bgw_function_name, "pg_etl_launcher_main", BGW_MAXLEN);
    ::RegisterBackgroundWorker(&worker);
}

void tell_launcher() noexcept {
    if (!shared)
        return;
    shared->died = true;
    if (Latch *latch = shared->launcher)
        ::SetLatch(latch);
}

} // namespace etl::run

extern "C" {
PGDLLEXPORT void pg_etl_launcher_main(Datum);
PGDLLEXPORT void pg_etl_scout_main(Datum);
}

void pg_etl_launcher_main(Datum) {
    etl::run::launch();
}

void pg_etl_scout_main(Datum) {
    ::pqsignal(SIGTERM, die);
    ::BackgroundWorkerUnblockSignals();
    ::BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, nullptr, 0);
    etl::pg::enter([] {
        const std::optional<etl::pg::error_report> failed =
            etl::pg::in_transaction("looking for interrupted runs", [] {
                if (etl::pg::extension_exists())
                    etl::run::kick_all();
            });
        if (failed)
            etl::pg::log(etl::pg::view(etl::pg::format("looking for interrupted runs: %s: %s", failed->sqlstate,
                                                       failed->message.c_str())));
        return Datum{0};
    });
}
