// PG regime: may ereport, so no local here needs a destructor.
#include "fold/state_former.hpp"

namespace etl::fold {

namespace {

template <class Number> char *put(char *at, Number value) {
    at = reinterpret_cast<char *>(TYPEALIGN(sizeof value, reinterpret_cast<std::uintptr_t>(at)));
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

char *put_day(char *at, const event_coding &coding, std::int64_t day) {
    return coding.day_is_date ? put(at, static_cast<std::int32_t>(day)) : put(at, day);
}

char *put_price(char *at, const event_coding &coding, std::int64_t code) {
    unsigned char *price = reinterpret_cast<unsigned char *>(at);
    const std::size_t length = kernel::price_of_code(code, coding.format, price + VARHDRSZ_SHORT) + VARHDRSZ_SHORT;
    SET_VARSIZE_SHORT(price, length);
    return at + length;
}

// The head of a row with these columns, as PostgreSQL makes it: NULL where it has none.
void copy_head(state_former &former) {
    Datum *values = static_cast<Datum *>(::palloc0(sizeof(Datum) * static_cast<std::size_t>(former.table->natts)));
    bool *is_null = static_cast<bool *>(::palloc(sizeof(bool) * static_cast<std::size_t>(former.table->natts)));
    std::fill_n(is_null, former.table->natts, true);
    short_price zero;
    const Datum price = price_datum(former.columns.coding, 0, zero);
    const AttrNumber without_price[] = {former.columns.lid, former.columns.first_day, former.columns.last_day,
                                        former.columns.modified};
    for (const AttrNumber column : without_price)
        is_null[column - 1] = false;
    for (const AttrNumber column : former.columns.price) {
        is_null[column - 1] = false;
        values[column - 1] = price;
    }
    const HeapTuple row = ::heap_form_tuple(former.table, values, is_null);
    former.head_bytes = row->t_data->t_hoff;
    memcpy(former.head, row->t_data, former.head_bytes);
    ::heap_freetuple(row);
    ::pfree(is_null);
    ::pfree(values);
}

} // namespace

void prepare_former(state_former &former, TupleDesc table, const state_columns &columns) {
    former.columns = columns;
    former.table = table;
    int count = 0;
    for (AttrNumber number = 1; number <= table->natts; number++) {
        if (TupleDescAttr(table, number - 1)->attisdropped)
            continue;
        if (count == state_former::column_count)
            return;
        state_former::column &column = former.in_order[count++];
        if (number == columns.lid)
            column.what = state_former::part::lid;
        else if (number == columns.first_day)
            column.what = state_former::part::first_day;
        else if (number == columns.last_day)
            column.what = state_former::part::last_day;
        else if (number == columns.modified)
            column.what = state_former::part::modified;
        else
            column.what = state_former::part::price;
        while (column.what == state_former::part::price && columns.price[column.price] != number)
            if (++column.price == price_count)
                return;
    }
    if (count < state_former::column_count || columns.coding.kind != price_kind::numeric)
        return;
    copy_head(former);
    former.is_ready = true;
}

std::size_t form_state(const state_former &former, const kernel::price_state &state, TimestampTz modified, char *row) {
    const std::int64_t prices[price_count] = {state.first, state.last, state.least, state.greatest};
    const event_coding &coding = former.columns.coding;
    memcpy(row, former.head, former.head_bytes);
    char *at = row + former.head_bytes;
    for (const state_former::column &column : former.in_order) {
        // Of what aligns the next one, nothing may be left as it was.
        constexpr std::uint64_t nothing = 0;
        memcpy(at, &nothing, sizeof nothing);
        switch (column.what) {
        case state_former::part::lid:
            at = put(at, state.lid);
            break;
        case state_former::part::first_day:
            at = put_day(at, coding, state.first_day);
            break;
        case state_former::part::last_day:
            at = put_day(at, coding, state.last_day);
            break;
        case state_former::part::modified:
            at = put(at, modified);
            break;
        case state_former::part::price:
            at = put_price(at, coding, prices[column.price]);
            break;
        }
    }
    return static_cast<std::size_t>(at - row);
}

} // namespace etl::fold
