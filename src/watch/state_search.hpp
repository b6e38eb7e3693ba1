// PG regime: finding the rows of a price state through its key, as they are now.
#pragma once

#include "pg/key_search.hpp"
#include "watch/state_access.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "utils/snapshot.h"
}

namespace etl::watch {

class state_search {
public:
    void open(const state_access &access);
    void close();

    // The row as others see it who don't wait: committed, or changed or deleted by a transaction under way. One that is
    // just being inserted is waited for. False if there is none; else the row is in slot().
    bool find(std::int64_t lid);
    // The row as the transaction's own snapshot shows it.
    bool find_in_snapshot(std::int64_t lid);
    // Gives up what is pinned of the index: VACUUM waits for pins, and no look for deadlocks sees it do so. To be called
    // before anything that may wait for others.
    void leave();
    // The same where another transaction is at the row, which may be waited for.
    void leave_if_busy();
    TupleTableSlot *slot() const {
        return slot_;
    }

private:
    bool look(std::int64_t lid);
    bool scan(std::int64_t lid);

    Relation relation_, index_;
    TupleTableSlot *slot_;
    pg::key_search keys_;
    IndexFetchTableData *rows_;
    IndexScanDesc scan_; // NULL until one is needed
    SnapshotData dirty_;
};

} // namespace etl::watch
