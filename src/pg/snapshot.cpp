// Boundary: snapshots of others. The technique is that of CREATE INDEX CONCURRENTLY (WaitForOlderSnapshots).
#include "pg/snapshot.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

static vector<snapshot_holder> holders_up_to(TransactionId limit) {
    struct list {
        VirtualTransactionId *transactions;
        int count;
    };
    const list found = call([=] {
        list all{};
        all.transactions =
            ::GetCurrentVirtualXIDs(limit, true, false, PROC_IS_AUTOVACUUM | PROC_IN_VACUUM, &all.count);
        return all;
    });
    vector<snapshot_holder> holders;
    for (int i = 0; i < found.count; i++) {
        const VirtualTransactionId id = found.transactions[i];
        const PGPROC *process = call([=] { return ::BackendIdGetProc(id.backendId); });
        if (process)
            holders.push_back({id.backendId, id.localTransactionId, process->pid});
    }
    return holders;
}

horizon older_snapshots() {
    const TransactionId limit = call([] {
        const Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
        const TransactionId xmin = snapshot->xmin;
        ::UnregisterSnapshot(snapshot);
        return xmin;
    });
    return {limit, holders_up_to(limit)};
}

void refresh(horizon &horizon) {
    const vector<snapshot_holder> now = holders_up_to(horizon.limit);
    auto gone = [&now](const snapshot_holder &holder) {
        return std::none_of(now.begin(), now.end(), [&holder](const snapshot_holder &other) {
            return other.backend == holder.backend && other.transaction == holder.transaction;
        });
    };
    horizon.holders.erase(std::remove_if(horizon.holders.begin(), horizon.holders.end(), gone), horizon.holders.end());
}

} // namespace etl::pg
