// PG regime: price states to their table.
#pragma once

#include "fold/anew.hpp"
#include "fold/state_row.hpp"

extern "C" {
#include "utils/relcache.h"
}

namespace etl::fold {

// Writes states to the table; lasts as long as the memory context that it was made in.
struct state_writer;
state_writer *begin_writing(Relation table, const event_coding &coding, const other_writers &others);

// Makes the rows with low <= lid <= high those `states`, which are sorted: inserts what is missing, updates what
// differs in any byte, deletes what is not among them, and leaves the others alone. Returns the rows written. 40001
// where another transaction changed one of them meanwhile, 23505 where it inserted one.
// Beside others it only inserts: what differs by the active snapshot, or has come since, is folded anew. All this is
// one pass in the order of lid, in which whatever may wait holds lower lids only. 40001 where a row comes in the very
// moment in which it is inserted.
std::int64_t write_states(state_writer *writer, const kernel::price_state *states, std::size_t count, std::int64_t low,
                          std::int64_t high);
void end_writing(state_writer *writer);

} // namespace etl::fold
