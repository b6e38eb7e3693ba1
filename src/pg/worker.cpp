// Boundary: worker processes.
#include "pg/worker.hpp"

#include "pg/lock.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/pmsignal.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
}

#include <csignal>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace etl::pg {

static_assert(sizeof(worker_order) <= BGW_EXTRALEN);
static_assert(std::is_trivially_copyable_v<worker_order>);

bool start_worker(const worker_order &order) noexcept {
    BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    // State is in tables: whoever looks at the run next starts another one.
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    ::pg_snprintf(worker.bgw_name, BGW_MAXLEN, "pg_etl worker for run " INT64_FORMAT, order.run);
    ::strlcpy(worker.bgw_type, "pg_etl worker", BGW_MAXLEN);
    ::strlcpy(worker.bgw_library_name, "pg_etl", BGW_MAXLEN);
    ::strlcpy(worker.bgw_function_name, "pg_etl_worker_main", BGW_MAXLEN);
    std::copy_n(reinterpret_cast<const char *>(&order), sizeof order, worker.bgw_extra);
    return ::RegisterDynamicBackgroundWorker(&worker, nullptr);
}

namespace {

// What is to be done at commit. An action belongs to the subtransaction that asked for it until that one commits into
// its parent. Plain data in the transaction's context: gone with it.
struct action {
    action *next;
    SubTransactionId subtransaction;
    worker_order order;
    int workers;        // to start, or 0 to cancel the tasks of order.run
    int *cancelled;     // processes to cancel, known from just before the commit on
    int cancelled_count;
};

action *actions = nullptr;
void (*failed_start)(const worker_order &) noexcept = nullptr;

void perform_actions() noexcept {
    for (const action *todo = actions; todo; todo = todo->next) {
        for (int i = 0; i < todo->workers; i++)
            if (!start_worker(todo->order)) {
                // The run stays queued, and etl_progress says why.
                if (i == 0 && failed_start)
                    failed_start(todo->order);
                break;
            }
        // The process may have gone meanwhile.
        for (int i = 0; i < todo->cancelled_count; i++)
            if (::BackendPidGetProc(todo->cancelled[i]))
                ::kill(todo->cancelled[i], SIGINT);
    }
    actions = nullptr;
}

// Whoever holds a task of the run now is to be cancelled. The lock makes claims that are under way commit first, and
// those to come wait for this commit.
void find_processes_to_cancel(action *todo) {
    lock_in_transaction({lock_kind::steer, static_cast<std::uint32_t>(todo->order.run), 0});
    const LockData *locks = ::GetLockStatusData();
    todo->cancelled = static_cast<int *>(
        ::MemoryContextAlloc(TopTransactionContext, sizeof(int) * static_cast<std::size_t>(locks->nelements + 1)));
    for (int i = 0; i < locks->nelements; i++) {
        const LockInstanceData &lock = locks->locks[i];
        if (lock.holdMask != 0 && is_task_of(lock.locktag, static_cast<std::uint32_t>(todo->order.run)))
            todo->cancelled[todo->cancelled_count++] = lock.pid;
    }
}

void at_transaction_end(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        for (action *todo = actions; todo; todo = todo->next)
            if (todo->workers == 0)
                find_processes_to_cancel(todo);
        break;
    case XACT_EVENT_COMMIT:
        perform_actions();
        break;
    case XACT_EVENT_ABORT:
        actions = nullptr;
        break;
    case XACT_EVENT_PRE_PREPARE:
        if (actions)
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("cannot PREPARE a transaction that has started or steered a run of pg_etl")));
        break;
    default:
        break;
    }
}

void at_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *) {
    if (event == SUBXACT_EVENT_COMMIT_SUB) {
        for (action *todo = actions; todo; todo = todo->next)
            if (todo->subtransaction == mine)
                todo->subtransaction = parent;
    } else if (event == SUBXACT_EVENT_ABORT_SUB) {
        // The newest come first, and those of an aborted subtransaction are the newest.
        while (actions && actions->subtransaction >= mine)
            actions = actions->next;
    }
}

void remember(const action &todo) {
    static bool registered = false;
    call([&todo] {
        if (!registered) {
            ::RegisterXactCallback(at_transaction_end, nullptr);
            ::RegisterSubXactCallback(at_subtransaction_end, nullptr);
            registered = true;
        }
        auto *kept = static_cast<action *>(::MemoryContextAlloc(TopTransactionContext, sizeof(action)));
        *kept = todo;
        kept->next = actions;
        kept->subtransaction = ::GetCurrentSubTransactionId();
        actions = kept;
    });
}

} // namespace

void start_workers_at_commit(const worker_order &order, int count) {
    if (count > 0)
        remember({nullptr, InvalidSubTransactionId, order, count, nullptr, 0});
}

void on_failed_start(void (*callback)(const worker_order &) noexcept) noexcept {
    failed_start = callback;
}

void cancel_tasks_at_commit(std::int64_t run) {
    remember({nullptr, InvalidSubTransactionId, {InvalidOid, InvalidOid, run}, 0, nullptr, 0});
}

namespace {

// Whatever the owner's role or the database set as defaults: a worker's transactions are of one kind, and its statements
// have no limit of time but the DBA's patience.
constexpr struct {
    const char *name;
    const char *setting;
} worker_settings[] = {
    {"search_path", "pg_catalog, pg_temp"},
    {"row_security", "off"},
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_read_only", "off"},
    {"default_transaction_deferrable", "off"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"default_table_access_method", "heap"},
    {"default_tablespace", ""},
    {"client_min_messages", "warning"},
    {"standard_conforming_strings", "on"},
    {"transform_null_equals", "off"},
    {"synchronize_seqscans", "off"},
};

} // namespace

// Without a postmaster a worker would compute and commit until its next sleep, while a new server recovers the same
// files. The kernel tells PostgreSQL by a signal that merely sets a flag; here it ends the process at the next safe place.
static void leave_without_postmaster(SIGNAL_ARGS) {
#ifdef USE_POSTMASTER_DEATH_SIGNAL
    postmaster_possibly_dead = true;
#endif
    ::die(postgres_signal_arg);
}

static void watch_postmaster() {
#if defined(USE_POSTMASTER_DEATH_SIGNAL) && defined(PR_GET_PDEATHSIG)
    int number = 0;
    if (::prctl(PR_GET_PDEATHSIG, &number) == 0 && number > 0)
        ::pqsignal(number, leave_without_postmaster);
#endif
}

worker_order connect_worker() {
    return call([] {
        worker_order order;
        std::copy_n(MyBgworkerEntry->bgw_extra, sizeof order, reinterpret_cast<char *>(&order));
        watch_postmaster();
        // The default handler of workers raises FATAL inside the signal handler; die waits for a safe place.
        ::pqsignal(SIGTERM, die);
        ::pqsignal(SIGHUP, ::SignalHandlerForConfigReload);
        ::BackgroundWorkerUnblockSignals();
#if PG_VERSION_NUM >= 170000
        constexpr uint32 flags = BGWORKER_BYPASS_ROLELOGINCHECK;
#else
        constexpr uint32 flags = 0;
#endif
        ::BackgroundWorkerInitializeConnectionByOid(order.database, order.owner, flags);
        for (const auto &pinned : worker_settings)
            ::SetConfigOption(pinned.name, pinned.setting, PGC_USERSET, PGC_S_SESSION);
        return order;
    });
}

void report_application_name(const char *name) {
    call([=] {
        // Cut at a character: the setting's own check would take a broken one apart byte by byte.
        char clipped[NAMEDATALEN];
        const int length = ::pg_mbcliplen(name, static_cast<int>(strlen(name)), NAMEDATALEN - 1);
        ::strlcpy(clipped, name, static_cast<std::size_t>(length) + 1);
        ::SetConfigOption("application_name", clipped, PGC_USERSET, PGC_S_SESSION);
    });
}

void sleep(std::int64_t milliseconds) {
    call([=] {
        (void)::WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, static_cast<long>(milliseconds),
                          PG_WAIT_EXTENSION);
        ::ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    });
}

void reload_configuration() {
    if (!ConfigReloadPending)
        return;
    call([] {
        ConfigReloadPending = false;
        ::ProcessConfigFile(PGC_SIGHUP);
    });
}

namespace {

bool exit_expected = false;

void at_exit(int, Datum callback) {
    if (!exit_expected)
        reinterpret_cast<void (*)() noexcept>(DatumGetPointer(callback))();
}

} // namespace

void on_unexpected_exit(void (*callback)() noexcept) {
    ::before_shmem_exit(at_exit, PointerGetDatum(reinterpret_cast<void *>(callback)));
}

void expect_exit() noexcept {
    exit_expected = true;
}

} // namespace etl::pg
