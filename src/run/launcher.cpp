// PG regime: the launcher. It is connected to no database. At server start, after a crash, and when a worker of ours died
// it starts a short worker in each database of etl.databases, which starts workers for interrupted runs and leaves.
#include "run/launcher.hpp"

#include "pg/extension.hpp"
#include "pg/function.hpp"
#include "pg/identity.hpp"
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
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"
}

namespace etl::run {

namespace {

// Shared with every process; written by the launcher alone but for `died`.
struct shared_state {
    Latch *launcher;
    std::atomic<bool> died; // a worker died since the launcher looked last
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
    if (!found)
        new (shared) shared_state{};
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

// After a death the launcher looks at once, and once more a little later: the first look may have come before the dead
// worker's locks were gone.
[[noreturn]] void launch() {
    constexpr long again_after = 3000; // ms
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
    for (;;) {
        if (shared->died.exchange(false))
            looks = 2;
        if (looks > 0) {
            // Where max_worker_processes left no slot for a scout, the look does not count.
            if (look_into_databases())
                looks--;
            ::MemoryContextReset(memory);
        }
        (void)::WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (looks > 0 ? WL_TIMEOUT : 0), again_after,
                          PG_WAIT_EXTENSION);
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
        (void)etl::pg::in_transaction("looking for interrupted runs", [] {
            if (etl::pg::extension_exists())
                etl::run::kick_all();
        });
        return Datum{0};
    });
}
