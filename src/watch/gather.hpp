// PG regime: the events of a statement, folded by lid in memory.
#pragma once

#include "watch/folded.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "utils/tuplestore.h"
}

namespace etl::watch {

// Where a log (or one of its partitions) has its columns.
struct log_shape {
    AttrNumber lid;
    AttrNumber day;
    AttrNumber amount;
    AttrNumber most;
    price_type prices;
    day_type days;
};

// False where a column is missing or of a type that no log has.
bool read_shape(TupleDesc columns, log_shape &shape);

struct found_event {
    std::int64_t lid;
    event what;
};
// False for an event that does not count: lid, day or price is NULL.
bool read_event(const log_shape &shape, TupleTableSlot *slot, found_event &found);

struct entry {
    std::int64_t lid;
    folded added;
    folded *removed; // nullptr: none
};

// A flat map by lid. A few entries are searched in line; from 16 on there is a table of indexes.
class gathered {
public:
    explicit gathered(MemoryContext memory);
    void add(const found_event &found);
    void remove(const found_event &found);
    std::size_t size() const {
        return used_;
    }
    // By lid, ascending: in this order, and in no other, state rows are locked.
    entry *sort();
    void clear();

private:
    entry &of(std::int64_t lid);
    void grow();

    MemoryContext memory_;
    entry *entries_;
    std::size_t used_;
    std::size_t room_;
    std::uint32_t *table_; // index + 1; 0: free
    std::size_t mask_;
};

// Reads tuplestores from their beginning, each by a read pointer of our own.
class transition {
public:
    transition(Tuplestorestate *store, TupleTableSlot *slot);
    bool next();
    TupleTableSlot *slot() const {
        return slot_;
    }

private:
    Tuplestorestate *store_;
    TupleTableSlot *slot_;
    int pointer_;
};

} // namespace etl::watch
