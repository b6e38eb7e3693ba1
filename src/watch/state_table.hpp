// PG regime: rows of a price state, reached through its key: locked, merged into, replaced.
#pragma once

#include "watch/state_search.hpp"

namespace etl::watch {

// The table stays open, and ROW EXCLUSIVE locked, until close(). Rows are locked as an UPDATE locks them, and stay so
// until the transaction ends: the lock on its state row is what orders writers of a lid.
// Under REPEATABLE READ and SERIALIZABLE a row that has changed since the transaction's snapshot is not written: 40001.
// States that are read last until the next row is looked for.
class state_table {
public:
    // False where the table is not fit for it (state_access.hpp).
    bool open(Oid table, const fold::event_coding &coding);
    void close();

    // Finds and locks the row of a lid as it is now, waiting for whoever is at it. False if there is none.
    bool lock(std::int64_t lid, kernel::price_state &now);
    // The same, but makes a row without prices where there is none. True if the row was there.
    bool lock_or_make(std::int64_t lid, kernel::price_state &now);
    // Takes events into the row. A row that would not change is locked. Says whether it was written.
    bool merge(const kernel::price_state &added, kernel::price_state &before, kernel::price_state &after);
    // True if the transaction sees another row than that locked last, or none: under READ COMMITTED it does not.
    bool sees_older(std::int64_t lid, kernel::price_state &seen);
    // Writes the row that lock() locked last.
    void write_locked(const kernel::price_state &now);
    void delete_locked();
    // Deletes every row that there is.
    void delete_all();
    // To be called before anything else that may wait for others.
    void leave_index() {
        search_.leave();
    }

    Relation relation() const {
        return access_.relation;
    }
    // For what is computed from states that were read.
    fold::wide_prices &prices() {
        return prices_;
    }

private:
    bool find(std::int64_t lid);
    bool lock_found();
    void read_found(kernel::price_state &now);
    bool make(const kernel::price_state &now);
    bool update_found(const kernel::price_state &now);
    bool is_seen();
    void require_seen(std::int64_t lid);

    state_access access_;
    state_search search_;
    TupleTableSlot *fresh_;
    fold::row_prices fresh_prices_;
    TimestampTz modified_;
    fold::wide_prices prices_;
};

} // namespace etl::watch
