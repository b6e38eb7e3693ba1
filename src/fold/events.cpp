// PG regime: may ereport (for compressed or foreign values only), so no local here needs a destructor.
#include "fold/events.hpp"

extern "C" {
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "utils/rel.h"
}

namespace etl::fold {

bool find_layout(TupleDesc columns, row_layout &layout) {
    layout = {};
    layout.columns = columns;
    Form_pg_attribute price = nullptr, day = nullptr;
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (column->attisdropped)
            continue;
        if (namestrcmp(&column->attname, "lid") == 0 && column->atttypid == INT8OID)
            layout.lid = column->attnum;
        else if (namestrcmp(&column->attname, "price") == 0)
            price = column;
        else if (namestrcmp(&column->attname, "dt") == 0)
            day = column;
    }
    if (!layout.lid || !price || !day || !find_coding(price->atttypid, price->atttypmod, day->atttypid, layout.coding))
        return false;
    layout.price = price->attnum;
    layout.price_length = price->attlen;
    layout.dt = day->attnum;
    layout.last = std::max({layout.lid, layout.price, layout.dt});
    layout.lid_offset = layout.day_offset = layout.price_offset = -1;
    int at = 0;
    for (int i = 0; i < layout.last; i++) {
        const Form_pg_attribute column = TupleDescAttr(layout.columns, i);
        if (column->attlen < 0)
            break;
        at = static_cast<int>(att_align_nominal(at, column->attalign));
        if (i + 1 == layout.lid)
            layout.lid_offset = at;
        if (i + 1 == layout.dt)
            layout.day_offset = at;
        if (i + 1 == layout.price)
            layout.price_offset = at;
        at += column->attlen;
        layout.fixed = i + 1;
    }
    layout.fixed_end = at;
    layout.is_simple = layout.lid_offset >= 0 && layout.price == layout.fixed + 1 &&
                       at == static_cast<int>(att_align_nominal(at, TYPALIGN_INT)) &&
                       (layout.day_offset >= 0 || layout.dt == layout.price + 1);
    return true;
}

namespace {

// Where the three values of a row are; NULL pointers for NULLs.
struct located {
    const char *lid, *price, *day;
};

// A row that was written before one of the columns was added has the column's default at that time.
located find_with_defaults(const row_layout &layout, HeapTupleHeader row) {
    HeapTupleData tuple{};
    tuple.t_data = row;
    auto find = [&](AttrNumber number) -> const char * {
        bool is_null;
        const Datum value = ::heap_getattr(&tuple, number, layout.columns, &is_null);
        if (is_null)
            return nullptr;
        const Form_pg_attribute column = TupleDescAttr(layout.columns, number - 1);
        if (!column->attbyval)
            return DatumGetPointer(value);
        char *kept = static_cast<char *>(::palloc(sizeof(Datum)));
        store_att_byval(kept, value, column->attlen);
        return kept;
    };
    return {find(layout.lid), find(layout.price), find(layout.dt)};
}

// Walks the columns from the first that has no place of its own.
located find_columns(const row_layout &layout, HeapTupleHeader row, bool has_nulls) {
    const char *base = reinterpret_cast<const char *>(row) + row->t_hoff;
    located found{};
    int from = 0;
    std::size_t at = 0;
    if (!has_nulls) {
        found.lid = layout.lid_offset >= 0 ? base + layout.lid_offset : nullptr;
        found.day = layout.day_offset >= 0 ? base + layout.day_offset : nullptr;
        found.price = layout.price_offset >= 0 ? base + layout.price_offset : nullptr;
        from = layout.fixed;
        at = static_cast<std::size_t>(layout.fixed_end);
    }
    for (int i = from; i < layout.last; i++) {
        if (has_nulls && att_isnull(i, row->t_bits))
            continue;
        const Form_pg_attribute column = TupleDescAttr(layout.columns, i);
        at = att_align_pointer(at, column->attalign, column->attlen, base + at);
        if (i + 1 == layout.lid)
            found.lid = base + at;
        else if (i + 1 == layout.price)
            found.price = base + at;
        else if (i + 1 == layout.dt)
            found.day = base + at;
        at = att_addlength_pointer(at, column->attlen, base + at);
    }
    return found;
}

// The same for the layout that a log usually has, with no loop.
located find_simple(const row_layout &layout, const char *base) {
    const char *price = base + layout.fixed_end;
    const char *day = layout.day_offset >= 0
                          ? base + layout.day_offset
                          : base + TYPEALIGN(layout.coding.day_is_date ? ALIGNOF_INT : ALIGNOF_DOUBLE,
                                             static_cast<std::size_t>(layout.fixed_end) + VARSIZE_ANY(price));
    return {base + layout.lid_offset, price, day};
}

template <class Number> std::int64_t number_at(const char *place) {
    Number value;
    std::copy_n(place, sizeof value, reinterpret_cast<char *>(&value));
    return value;
}

// A lid is in the range just where this, without sign, is at most `width`.
std::uint64_t above(std::int64_t low, std::int64_t lid) {
    return static_cast<std::uint64_t>(lid) - static_cast<std::uint64_t>(low);
}

// The rows that are in the range or hard to tell, without a branch: which ones come is anybody's guess.
int pick_rows(const row_layout &layout, const pg::page_rows &rows, std::int64_t low, std::uint64_t width,
              HeapTupleHeader *picked) {
    // Where the columns stand as the layout says, the data of a row begins here.
    constexpr std::size_t data = MAXALIGN(SizeofHeapTupleHeader);
    const std::size_t lid = data + static_cast<std::size_t>(layout.lid_offset);
    int count = 0;
    for (int i = 0; i < rows.count; i++) {
        rows.ask_for_next(i);
        const HeapTupleHeader row = rows[i];
        const bool plain = ((row->t_infomask & HEAP_HASNULL) == 0) & (row->t_hoff == data) &
                           (HeapTupleHeaderGetNatts(row) >= layout.last);
        // Of a row that may end before its lid, nothing beyond the header is read.
        const char *place = reinterpret_cast<const char *>(row) + (plain ? lid : 0);
        picked[count] = row;
        count += !plain | (above(low, number_at<std::int64_t>(place)) <= width);
    }
    return count;
}

inline bool read_row(const row_layout &layout, HeapTupleHeader row, price_event &event) {
    const bool has_nulls = (row->t_infomask & HEAP_HASNULL) != 0;
    const bool is_whole = HeapTupleHeaderGetNatts(row) >= layout.last;
    const located found = is_whole && !has_nulls && layout.is_simple
                              ? find_simple(layout, reinterpret_cast<const char *>(row) + row->t_hoff)
                          : is_whole ? find_columns(layout, row, has_nulls)
                                     : find_with_defaults(layout, row);
    if (!found.lid || !found.price || !found.day)
        return false;
    event.lid = number_at<std::int64_t>(found.lid);
    event.day = layout.coding.day_is_date ? number_at<std::int32_t>(found.day) : number_at<std::int64_t>(found.day);
    event.price =
        read_price(layout.coding, fetch_att(found.price, layout.price_length > 0, layout.price_length), event.wide);
    return true;
}

} // namespace

bool read_event(const row_layout &layout, HeapTupleHeader row, price_event &event) {
    return read_row(layout, row, event);
}

void gather_events(const row_layout &layout, const pg::page_rows &rows, std::int64_t low, std::int64_t high,
                   event_batch &batch) {
    const std::uint64_t width = above(low, high);
    HeapTupleHeader picked[pg::most_page_rows];
    int picked_count = rows.count;
    if (layout.lid_offset >= 0)
        picked_count = pick_rows(layout, rows, low, width, picked);
    else
        for (int i = 0; i < rows.count; i++)
            picked[i] = rows[i];
    int count = 0;
    batch.has_wide = false;
    for (int i = 0; i < picked_count; i++) {
        price_event event;
        if (!read_row(layout, picked[i], event) || above(low, event.lid) > width)
            continue;
        batch.lid[count] = event.lid;
        batch.day[count] = event.day;
        batch.price[count] = event.price;
        batch.has_wide |= event.wide != nullptr;
        batch.wide[count++] = event.wide;
    }
    batch.count = count;
}

} // namespace etl::fold
