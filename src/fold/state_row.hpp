// PG regime: rows of a price state as states, and back.
#pragma once

#include "fold/event_coding.hpp"
#include "fold/wide.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
}

namespace etl::fold {

// Of first, last, least and greatest, in this order.
constexpr int price_count = 4;
using row_prices = short_price[price_count];

struct state_columns {
    AttrNumber lid, first_day, last_day, modified, price[price_count];
    event_coding coding;
};
// False where one is missing, is generated, or has another type than the coding says.
bool find_state_columns(TupleDesc table, const event_coding &coding, state_columns &columns);

// Stores the row of a state as a virtual tuple, which lasts as long as `room` and the state's wide prices. Where there
// are no events its days and prices are NULL.
void store_state(const state_columns &columns, TupleTableSlot *slot, const kernel::price_state &state, row_prices &room,
                 TimestampTz modified);
// The state of a row; wide prices are copied.
kernel::price_state read_state(const state_columns &columns, TupleTableSlot *slot, wide_prices &prices);

// A price of a state as it is stored.
inline Datum price_of(const event_coding &coding, const kernel::price_state &state, std::int64_t price,
                      short_price &room) {
    return state.wide ? PointerGetDatum(wide_price(price)) : price_datum(coding, price, room);
}

} // namespace etl::fold
