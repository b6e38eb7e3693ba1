// PG regime: the events of a statement, folded by lid in memory.
#pragma once

#include "fold/states_by_lid.hpp"

extern "C" {
#include "utils/tuplestore.h"
}

namespace etl::watch {

// States by lid, ascending.
struct sorted_states {
    const kernel::price_state *next, *end;
};

// What a statement added and what it removed. Where its lids are too many for the memory, the higher ones wait for
// another pass over its rows: so state rows are locked in the order of lid all through the statement.
class gathered {
public:
    gathered(MemoryContext memory, const fold::event_coding &coding);
    void add(const fold::price_event &event) {
        take(added_, event);
    }
    void remove(const fold::price_event &event) {
        take(removed_, event);
    }
    // All rows have come; what follows is a look at the states.
    void end_pass();
    // Forgets the states; false where none of the lids waits.
    bool next_pass();
    sorted_states added() {
        return sort(added_);
    }
    sorted_states removed() {
        return sort(removed_);
    }

private:
    // Events wait for each other, to be looked up together.
    struct side {
        fold::states_by_lid states;
        fold::event_batch batch;
    };
    void take(side &to, const fold::price_event &event);
    void absorb(side &to);
    bool is_full() const;
    void halve();
    static sorted_states sort(side &of);

    side added_, removed_;
    std::int64_t low_, high_; // lids of this pass
};

// Reads a transition table from its beginning, by a read pointer of its own.
class transition {
public:
    transition(Tuplestorestate *store, TupleTableSlot *slot);
    // The row lasts until the next one is read.
    bool next(HeapTupleHeader &row);

private:
    Tuplestorestate *store_;
    TupleTableSlot *slot_;
};

} // namespace etl::watch
