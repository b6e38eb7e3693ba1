// PG regime: rows of a price state, reached through its key: found, locked, merged into, replaced.
#pragma once

#include "watch/gather.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
}

namespace etl::watch {

// A row that was written, for whoever wants to tell.
struct change {
    std::int64_t lid;
    folded before;
    folded after;
};

// The table stays open, and ROW EXCLUSIVE locked, until close(). Rows are locked as an UPDATE locks them, and stay so
// until the transaction ends: the lock on its state row is what orders writers of a lid.
// Under REPEATABLE READ and SERIALIZABLE a row that has changed since the transaction's snapshot is not written: 40001.
class state_table {
public:
    // False where the table is gone or is no plain table with the columns of a price state, of these types, a unique
    // index on lid, and neither triggers nor indexes over expressions: nobody else's code runs on its account.
    bool open(Oid table, price_type prices, day_type days);
    void close();

    // Finds and locks the row of a lid as it is now, waiting for whoever is at it. False if there is none.
    bool lock(std::int64_t lid, folded &now);
    // The same, but makes a row without prices where there is none. True if the row was there.
    bool lock_or_make(std::int64_t lid, folded &now);
    // Takes events into the row. A row that would not change is locked. Says whether it was written.
    bool merge(std::int64_t lid, const folded &added, folded &before, folded &after);
    // Writes the row that lock() locked last.
    void write_locked(const folded &now);
    void delete_locked();
    // Deletes every row that there is.
    std::uint64_t delete_all();

    Relation relation() const {
        return relation_;
    }

private:
    bool find(std::int64_t lid);
    bool lock_found();
    void read_found(folded &now);
    TupleTableSlot *form(std::int64_t lid, const folded &now);
    bool make(std::int64_t lid, const folded &now);
    bool update_found(std::int64_t lid, const folded &now);
    void require_seen(std::int64_t lid);
    void require_not_seen(std::int64_t lid);
    bool prepare_columns(price_type prices, day_type days);
    bool prepare_index();

    Relation relation_;
    Relation index_;
    EState *executor_;
    ResultRelInfo *target_;
    List *arbiters_;
    TupleTableSlot *found_;
    TupleTableSlot *fresh_;
    IndexScanDesc scan_;
    SnapshotData dirty_;
    price_type prices_;
    day_type days_;
    AttrNumber lid_, first_price_, first_day_, last_price_, last_day_, least_, greatest_, modified_;
    std::int64_t locked_lid_;
};

} // namespace etl::watch
