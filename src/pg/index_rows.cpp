// Boundary: rows for index builds, read past the executor.
#include "pg/index_rows.hpp"

#include "kernel/fetch.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/tupmacs.h"
#include "catalog/index.h"
#include "storage/procarray.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

namespace {

constexpr std::size_t first_rows = 4096, most_rows = std::size_t{1} << 31;
constexpr int tail_size = 8;

std::size_t row_bytes(const index_rows *rows) {
    return sizeof(ItemPointerData) +
           static_cast<std::size_t>(rows->column_count) * (sizeof(std::uint64_t) + sizeof(bool));
}

// Of arrays that grow, in the rows' memory.
template <class T> void grow(index_rows *rows, T *&array, std::size_t capacity) {
    array = static_cast<T *>(array ? ::repalloc_huge(array, sizeof(T) * capacity)
                                   : ::MemoryContextAllocHuge(rows->memory, sizeof(T) * capacity));
}

// Room for the rows of one more page, unless that would be more than is allowed.
bool make_room(index_rows *rows) {
    if (rows->bytes > rows->limit && rows->count > 0)
        return false;
    if (rows->count + most_page_rows <= rows->capacity)
        return true;
    const std::size_t more = std::max(rows->capacity, first_rows);
    if (rows->capacity > 0 && (rows->bytes + more * row_bytes(rows) > rows->limit || rows->capacity >= most_rows))
        return false;
    rows->capacity += more;
    rows->bytes += more * row_bytes(rows);
    grow(rows, rows->places, rows->capacity);
    grow(rows, rows->order[0], rows->capacity);
    grow(rows, rows->order[1], rows->capacity);
    for (int i = 0; i < rows->column_count; i++) {
        grow(rows, rows->columns[i].values, rows->capacity);
        grow(rows, rows->columns[i].nulls, rows->capacity);
    }
    return true;
}

void note_odd_page(index_rows *rows, BlockNumber page) {
    if (rows->odd_count == rows->odd_capacity) {
        rows->odd_capacity = std::max<std::size_t>(rows->odd_capacity * 2, 64);
        grow(rows, rows->odd, rows->odd_capacity);
    }
    rows->odd[rows->odd_count++] = page;
}

inline std::size_t aligned(std::size_t offset, attribute_step step, const char *data) {
    // A value with a short head stands anywhere; what fills a gap before another kind is zero.
    if (step.length == -1 && VARATT_NOT_PAD_BYTE(data + offset))
        return offset;
    return TYPEALIGN(step.alignment, offset);
}

inline std::size_t size_at(const char *value, attribute_step step) {
    return step.length > 0 ? static_cast<std::size_t>(step.length) : VARSIZE_ANY(value);
}

bool is_null(const bits8 *nulls, int attribute) {
    return nulls && att_isnull(attribute, nulls);
}

void take_value(index_rows *rows, index_column &column, const char *value, attribute_step step) {
    if (column.by_value)
        column.values[rows->count] = fetch_att(value, true, step.length);
    else
        column.values[rows->count] = reinterpret_cast<std::uintptr_t>(keep_value(
            column.distinct, value, static_cast<std::uint32_t>(size_at(value, step)), rows->memory, rows->bytes));
}

// The columns from number `first` on.
void take_tail(index_rows *rows, int first, const bits8 *nulls, const char *end) {
    int attribute = rows->attributes;
    for (int i = rows->column_count - 1; i >= first; i--) {
        index_column &column = rows->columns[i];
        while (attribute > column.attribute)
            if (!is_null(nulls, --attribute))
                end -= tail_size;
        column.nulls[rows->count] = is_null(nulls, attribute);
        column.values[rows->count] = 0;
        if (!column.nulls[rows->count])
            take_value(rows, column, end, rows->steps[attribute]);
    }
}

void take_row(index_rows *rows, HeapTupleHeader row, std::size_t length, BlockNumber page, OffsetNumber item) {
    ItemPointerSet(&rows->places[rows->count], page, item);
    const bits8 *const nulls = (row->t_infomask & HEAP_HASNULL) != 0 ? row->t_bits : nullptr;
    const char *const data = reinterpret_cast<const char *>(row) + row->t_hoff;
    const attribute_step *const steps = rows->steps;
    std::size_t offset = 0;
    int attribute = 0, i = 0;
    for (; i < rows->column_count && rows->columns[i].attribute < rows->tail; i++) {
        index_column &column = rows->columns[i];
        for (; attribute < column.attribute; attribute++) {
            if (is_null(nulls, attribute))
                continue;
            const attribute_step step = steps[attribute];
            offset = aligned(offset, step, data);
            offset += size_at(data + offset, step);
        }
        column.nulls[rows->count] = is_null(nulls, attribute);
        column.values[rows->count] = 0;
        if (!column.nulls[rows->count])
            take_value(rows, column, data + aligned(offset, steps[attribute], data), steps[attribute]);
    }
    take_tail(rows, i, nulls, reinterpret_cast<const char *>(row) + length);
    rows->count++;
}

// Asks for a part of the page that comes next, if that lies where it may: the more rows a page has, the smaller ones.
struct next_page {
    const char *start; // null: unknown
    int lines;         // a row
    int asked;
};

next_page expect_next_page(const heap_pages &pages, OffsetNumber rows) {
    constexpr int line = 64;
    const char *const start = next_page_of(pages);
    next_page next{start, start && rows > 0 ? BLCKSZ / line / rows + 1 : 0, 0};
    if (start) {
        kernel::fetch(next.start);
        kernel::fetch(next.start + BLCKSZ / 2);
    }
    return next;
}

void ask_for(next_page &next) {
    constexpr int line = 64;
    for (int i = 0; i < next.lines && next.asked < BLCKSZ / line; i++, next.asked++)
        __builtin_prefetch(next.start + next.asked * line, 0, 2);
}

enum class row_state { plain, dead, odd };

row_state state_of(Relation heap, HeapTupleHeader row, const ItemIdData &item, BlockNumber page, OffsetNumber number,
                   TransactionId horizon, Buffer buffer) {
    if ((row->t_infomask2 & (HEAP_ONLY_TUPLE | HEAP_HOT_UPDATED)) != 0)
        return row_state::odd;
    constexpr std::uint16_t settled = HEAP_XMIN_COMMITTED | HEAP_XMAX_INVALID;
    if ((row->t_infomask & settled) == settled)
        return row_state::plain;
    HeapTupleData tuple;
    tuple.t_data = row;
    tuple.t_len = item.lp_len;
    tuple.t_tableOid = RelationGetRelid(heap);
    ItemPointerSet(&tuple.t_self, page, number);
    switch (::HeapTupleSatisfiesVacuum(&tuple, horizon, buffer)) {
    case HEAPTUPLE_LIVE:
        return row_state::plain;
    case HEAPTUPLE_DEAD:
        return row_state::dead;
    default:
        return row_state::odd;
    }
}

// Takes the rows of the page, or none of them where one of them is out of the ordinary.
bool take_page(index_rows *rows, heap_pages &pages, BlockNumber number, TransactionId horizon) {
    char *const page = lock_page(pages, number);
    const std::size_t before = rows->count;
    const OffsetNumber last = PageGetMaxOffsetNumber(page);
    bool is_plain = true;
    next_page next = expect_next_page(pages, last);
    for (OffsetNumber i = FirstOffsetNumber; i <= last && is_plain; i = OffsetNumberNext(i)) {
        ask_for(next);
        const ItemIdData item = *PageGetItemId(page, i);
        if (!ItemIdIsNormal(&item)) {
            is_plain = !ItemIdIsRedirected(&item);
            continue;
        }
        const HeapTupleHeader row = reinterpret_cast<HeapTupleHeader>(page + item.lp_off);
        const row_state state = state_of(pages.heap, row, item, number, i, horizon, pages.pinned);
        is_plain = state != row_state::odd && HeapTupleHeaderGetNatts(row) == rows->attributes;
        if (is_plain && state == row_state::plain)
            take_row(rows, row, item.lp_len, number, i);
    }
    ::LockBuffer(pages.pinned, BUFFER_LOCK_UNLOCK);
    if (!is_plain)
        rows->count = before;
    return is_plain;
}

} // namespace

index_rows *begin_index_rows(Relation heap, const Relation *indexes, int count, std::size_t limit) {
    const TupleDesc form = RelationGetDescr(heap);
    const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "etl index rows", ALLOCSET_DEFAULT_SIZES);
    index_rows *rows = static_cast<index_rows *>(::MemoryContextAllocZero(memory, sizeof(index_rows)));
    rows->memory = memory;
    rows->limit = limit;
    Bitmapset *wanted = nullptr;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < indexes[i]->rd_index->indnatts; j++)
            wanted = ::bms_add_member(wanted, indexes[i]->rd_index->indkey.values[j] - 1);
    rows->columns = static_cast<index_column *>(
        ::MemoryContextAllocZero(memory, sizeof(index_column) * static_cast<std::size_t>(::bms_num_members(wanted))));
    for (int attribute = -1; (attribute = ::bms_next_member(wanted, attribute)) >= 0;) {
        index_column &column = rows->columns[rows->column_count++];
        column.attribute = attribute;
        column.by_value = TupleDescAttr(form, attribute)->attbyval;
    }
    rows->steps = static_cast<attribute_step *>(
        ::MemoryContextAlloc(memory, sizeof(attribute_step) * static_cast<std::size_t>(form->natts)));
    for (int i = 0; i < form->natts; i++) {
        const Form_pg_attribute attribute = TupleDescAttr(form, i);
        rows->steps[i] = {attribute->attlen, static_cast<std::uint16_t>(att_align_nominal(1, attribute->attalign))};
    }
    rows->attributes = rows->tail = form->natts;
    while (rows->tail > 0 && rows->steps[rows->tail - 1].length == tail_size &&
           rows->steps[rows->tail - 1].alignment == tail_size)
        rows->tail--;
    return rows;
}

void end_index_rows(index_rows *rows) {
    ::MemoryContextDelete(rows->memory);
}

int find_column(const index_rows *rows, AttrNumber attribute) {
    int found = 0;
    while (rows->columns[found].attribute != attribute - 1)
        found++;
    return found;
}

BlockNumber gather_rows(index_rows *rows, heap_pages &pages, BlockNumber from) {
    const TransactionId horizon = ::GetOldestNonRemovableTransactionId(pages.heap);
    BlockNumber page = from;
    for (; page < pages.count && make_room(rows); page++) {
        CHECK_FOR_INTERRUPTS();
        if (!take_page(rows, pages, page, horizon))
            note_odd_page(rows, page);
    }
    return page;
}

void forget_rows(index_rows *rows) {
    for (int i = 0; i < rows->column_count; i++)
        forget_values(rows->columns[i].distinct, rows->bytes);
    rows->count = rows->odd_count = 0;
}

} // namespace etl::pg
