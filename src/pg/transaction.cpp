// Boundary: transactions.
#include "pg/transaction.hpp"

extern "C" {
#include "pgstat.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

void begin_transaction(const char *activity, snapshot_mode snapshot) {
    call([=] {
        ::SetCurrentStatementStartTimestamp();
        ::StartTransactionCommand();
        if (snapshot == snapshot_mode::taken)
            ::PushActiveSnapshot(::GetTransactionSnapshot());
        ::pgstat_report_activity(STATE_RUNNING, activity);
    });
}

void commit_transaction() {
    call([] {
        if (::ActiveSnapshotSet())
            ::PopActiveSnapshot();
        ::CommitTransactionCommand();
        ::pgstat_report_stat(true);
        ::pgstat_report_activity(STATE_IDLE, nullptr);
    });
}

void abort_transaction() noexcept {
    try {
        call([] {
            ::AbortCurrentTransaction();
            ::pgstat_report_activity(STATE_IDLE, nullptr);
        });
    } catch (...) {
        // An abort that fails leaves nothing to stand on: end this process, and only this one, with its locks.
        ::proc_exit(1);
    }
}

std::uint32_t current_transaction() noexcept {
    return ::GetCurrentTransactionIdIfAny();
}

void begin_subtransaction() {
    call([] { ::BeginInternalSubTransaction(nullptr); });
}

void release_subtransaction() {
    call([] { ::ReleaseCurrentSubTransaction(); });
}

void rollback_subtransaction() {
    call([] { ::RollbackAndReleaseCurrentSubTransaction(); });
}

} // namespace etl::pg
