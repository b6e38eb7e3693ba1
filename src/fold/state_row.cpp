// PG regime: may ereport, so no local here needs a destructor.
#include "fold/state_row.hpp"

#include <algorithm>
#include <iterator>

extern "C" {
#include "catalog/pg_type.h"
}

namespace etl::fold {

namespace {

constexpr const char *price_columns[price_count] = {"first_price", "last_price", "price_min", "price_max"};

Form_pg_attribute find_column(TupleDesc table, const char *name) {
    for (int i = 0; i < table->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(table, i);
        if (!column->attisdropped && !column->attgenerated && namestrcmp(&column->attname, name) == 0)
            return column;
    }
    return nullptr;
}

} // namespace

bool find_state_columns(TupleDesc table, const event_coding &coding, state_columns &columns) {
    const Form_pg_attribute lid = find_column(table, "lid"), modified = find_column(table, "modified"),
                            first_day = find_column(table, "first_dt"), last_day = find_column(table, "last_dt"),
                            first_price = find_column(table, price_columns[0]);
    event_coding its;
    if (!lid || lid->atttypid != INT8OID || !modified || modified->atttypid != TIMESTAMPTZOID || !first_day ||
        !last_day || first_day->atttypid != last_day->atttypid || !first_price ||
        !find_coding(first_price->atttypid, first_price->atttypmod, first_day->atttypid, its) ||
        its.kind != coding.kind || its.day_is_date != coding.day_is_date)
        return false;
    columns = {lid->attnum, first_day->attnum, last_day->attnum, modified->attnum, {}, coding};
    for (int i = 0; i < price_count; i++) {
        const Form_pg_attribute price = find_column(table, price_columns[i]);
        if (!price || price->atttypid != first_price->atttypid)
            return false;
        columns.price[i] = price->attnum;
    }
    return true;
}

void store_state(const state_columns &columns, TupleTableSlot *slot, const kernel::price_state &state, row_prices &room,
                 TimestampTz modified) {
    ::ExecClearTuple(slot);
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
        slot->tts_isnull[i] = true; // dropped columns; the others are set below
    auto set = [slot](AttrNumber column, Datum value) {
        slot->tts_values[column - 1] = value;
        slot->tts_isnull[column - 1] = false;
    };
    set(columns.lid, Int64GetDatum(state.lid));
    set(columns.modified, TimestampTzGetDatum(modified));
    if (state.has_events) {
        set(columns.first_day, day_datum(columns.coding, state.first_day));
        set(columns.last_day, day_datum(columns.coding, state.last_day));
        const std::int64_t of_state[price_count] = {state.first, state.last, state.least, state.greatest};
        for (int i = 0; i < price_count; i++)
            set(columns.price[i], price_of(columns.coding, state, of_state[i], room[i]));
    }
    ::ExecStoreVirtualTuple(slot);
}

kernel::price_state read_state(const state_columns &columns, TupleTableSlot *slot, wide_prices &prices) {
    slot_getallattrs(slot);
    auto is_null = [slot](AttrNumber column) { return slot->tts_isnull[column - 1]; };
    auto value = [slot](AttrNumber column) { return slot->tts_values[column - 1]; };
    kernel::price_state state{};
    state.lid = DatumGetInt64(value(columns.lid));
    // A row that is not whole has no state, whatever else is in it.
    if (is_null(columns.first_day) || is_null(columns.last_day) ||
        std::any_of(std::begin(columns.price), std::end(columns.price), is_null))
        return state;
    std::int64_t codes[price_count];
    struct varlena *wide[price_count];
    for (int i = 0; i < price_count; i++) {
        codes[i] = read_price(columns.coding, value(columns.price[i]), wide[i]);
        state.wide = state.wide || wide[i];
    }
    if (state.wide)
        for (int i = 0; i < price_count; i++)
            codes[i] = keep_price(prices, codes[i], wide[i]);
    state.first_day = read_day(columns.coding, value(columns.first_day));
    state.last_day = read_day(columns.coding, value(columns.last_day));
    state.first = codes[0], state.last = codes[1], state.least = codes[2], state.greatest = codes[3];
    state.has_events = true;
    return state;
}

} // namespace etl::fold
