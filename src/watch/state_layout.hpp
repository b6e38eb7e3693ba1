// PG regime: what writing to a price state has to know of it, kept per session.
#pragma once

#include "fold/state_row.hpp"

namespace etl::watch {

struct state_layout {
    Oid table;
    Oid index; // the unique one on lid
    fold::state_columns columns;
};

// Of a table that is open and locked. False where there is an obstacle to rows (fold/price_state.hpp), or it lacks
// columns of these types or a unique index on lid, or has indexes over expressions: nobody else's code runs on its
// account. What was found is kept until the table or that index changes.
bool find_state_layout(Relation table, const fold::event_coding &coding, state_layout &found);

} // namespace etl::watch
