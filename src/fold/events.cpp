// PG regime: may ereport (for compressed or foreign values only), so no local here needs a destructor.
#include "fold/events.hpp"

extern "C" {
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "utils/rel.h"
}

namespace etl::fold {

row_layout layout_of(const log_leaf &leaf, const price_log &log) {
    row_layout layout{};
    layout.format = log.format;
    layout.day_is_date = log.day_type == DATEOID;
    layout.columns = RelationGetDescr(leaf.relation);
    layout.lid = leaf.lid, layout.price = leaf.price, layout.dt = leaf.dt;
    layout.last = std::max({leaf.lid, leaf.price, leaf.dt});
    layout.lid_offset = layout.day_offset = -1;
    int at = 0;
    for (int i = 0; i < layout.last; i++) {
        const Form_pg_attribute column = TupleDescAttr(layout.columns, i);
        if (column->attlen < 0)
            break;
        at = static_cast<int>(att_align_nominal(at, column->attalign));
        if (i + 1 == leaf.lid)
            layout.lid_offset = at;
        if (i + 1 == leaf.dt)
            layout.day_offset = at;
        at += column->attlen;
        layout.fixed = i + 1;
    }
    layout.fixed_end = at;
    layout.is_simple = layout.lid_offset >= 0 && leaf.price == layout.fixed + 1 &&
                       at == static_cast<int>(att_align_nominal(at, TYPALIGN_INT)) &&
                       (layout.day_offset >= 0 || leaf.dt == leaf.price + 1);
    return layout;
}

namespace {

// Where the three values of a row are; NULL pointers for NULLs.
struct located {
    const char *lid, *price, *day;
};

// A row that was written before one of the columns was added has the column's default at that time.
located find_with_defaults(const row_layout &layout, const pg::page_row &row) {
    HeapTupleData tuple{};
    tuple.t_data = row.header;
    tuple.t_len = row.length;
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
located find_columns(const row_layout &layout, const pg::page_row &row, bool has_nulls) {
    const char *base = reinterpret_cast<const char *>(row.header) + row.header->t_hoff;
    located found{};
    int from = 0;
    std::size_t at = 0;
    if (!has_nulls) {
        found.lid = layout.lid_offset >= 0 ? base + layout.lid_offset : nullptr;
        found.day = layout.day_offset >= 0 ? base + layout.day_offset : nullptr;
        from = layout.fixed;
        at = static_cast<std::size_t>(layout.fixed_end);
    }
    for (int i = from; i < layout.last; i++) {
        if (has_nulls && att_isnull(i, row.header->t_bits))
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
                          : base + TYPEALIGN(layout.day_is_date ? ALIGNOF_INT : ALIGNOF_DOUBLE,
                                             static_cast<std::size_t>(layout.fixed_end) + VARSIZE_ANY(price));
    return {base + layout.lid_offset, price, day};
}

template <class Number> std::int64_t number_at(const char *place) {
    Number value;
    std::copy_n(place, sizeof value, reinterpret_cast<char *>(&value));
    return value;
}

// How far ahead of use rows are asked for: rows lie in descending order, which no processor expects.
constexpr int rows_ahead = 8;

std::int64_t code_of(struct varlena *price, kernel::price_format format) {
    return kernel::price_code(reinterpret_cast<const unsigned char *>(VARDATA_ANY(price)), VARSIZE_ANY_EXHDR(price),
                              format);
}

} // namespace

void gather_events(const row_layout &layout, const pg::page_rows &rows, std::int64_t low, std::int64_t high,
                   event_batch &batch) {
    int count = 0;
    for (int i = 0; i < rows.count; i++) {
        if (i + rows_ahead < rows.count)
            __builtin_prefetch(rows[i + rows_ahead].header);
        const pg::page_row row = rows[i];
        const bool has_nulls = (row.header->t_infomask & HEAP_HASNULL) != 0;
        const bool is_whole = HeapTupleHeaderGetNatts(row.header) >= layout.last;
        const char *base = reinterpret_cast<const char *>(row.header) + row.header->t_hoff;
        const bool is_plain = !has_nulls && is_whole && layout.lid_offset >= 0;
        // Rows of other passes are left as early as can be.
        if (is_plain) {
            const std::int64_t lid = number_at<std::int64_t>(base + layout.lid_offset);
            if (lid < low || lid > high)
                continue;
        }
        const located found = is_plain && layout.is_simple ? find_simple(layout, base)
                              : is_whole                   ? find_columns(layout, row, has_nulls)
                                                           : find_with_defaults(layout, row);
        if (!found.lid || !found.price || !found.day)
            continue;
        const std::int64_t lid = number_at<std::int64_t>(found.lid);
        if (lid < low || lid > high)
            continue;
        struct varlena *price = reinterpret_cast<struct varlena *>(const_cast<char *>(found.price));
        if (VARATT_IS_COMPRESSED(price) || VARATT_IS_EXTERNAL(price))
            price = ::pg_detoast_datum(price);
        batch.lid[count] = lid;
        batch.day[count] = layout.day_is_date ? number_at<std::int32_t>(found.day) : number_at<std::int64_t>(found.day);
        batch.price[count] = code_of(price, layout.format);
        batch.wide[count] = price;
        count++;
    }
    batch.count = count;
}

} // namespace etl::fold
