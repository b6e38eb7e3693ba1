// PG regime: may ereport, so no local here needs a destructor.
#include "load/former.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
}

namespace etl::load {

namespace {

enum class store : std::uint8_t { byte, half, word, whole, bytes, varlena, packed_varlena };

struct step {
    store what;
    std::uint8_t alignment; // less one
    std::uint16_t length;   // of `bytes`
};

// Values are copied in pieces of this size, so more room is needed, and looked at, than they have.
constexpr std::size_t piece = 32;
constexpr std::size_t page_of_memory = 4096;
// A batch of the longest rows that are not toasted. No more of it is touched than is used.
constexpr std::size_t block_bytes = std::size_t{64} * BLCKSZ;
constexpr std::size_t most_bitmap = BITMAPLEN(MaxHeapAttributeNumber);

} // namespace

struct former {
    TupleDesc columns;
    step *steps;
    bool has_steps; // false: rows are left to heap_form_tuple
    char *block, *next, *end;
    MemoryContext rare; // rows that did not fit, or that heap_form_tuple made
};

namespace {

bool make_step(const FormData_pg_attribute *column, step &made) {
    made.alignment = column->attalign == TYPALIGN_DOUBLE  ? ALIGNOF_DOUBLE - 1
                     : column->attalign == TYPALIGN_INT   ? ALIGNOF_INT - 1
                     : column->attalign == TYPALIGN_SHORT ? ALIGNOF_SHORT - 1
                                                          : 0;
    made.length = column->attlen > 0 ? static_cast<std::uint16_t>(column->attlen) : std::uint16_t{0};
    if (column->attbyval)
        made.what = column->attlen == 1   ? store::byte
                    : column->attlen == 2 ? store::half
                    : column->attlen == 4 ? store::word
                                          : store::whole;
    else if (column->attlen > 0)
        made.what = store::bytes;
    else
        made.what = column->attstorage == TYPSTORAGE_PLAIN ? store::varlena : store::packed_varlena;
    return column->attlen != -2;
}

// Copies at least `length` bytes. Reading on behind a value is safe as long as it is in the same page of memory.
void copy_pieces(char *to, const char *from, std::size_t length) {
    const bool may_read_on = (reinterpret_cast<std::uintptr_t>(from) & (page_of_memory - 1)) <= page_of_memory - piece;
    if (length <= piece && may_read_on)
        memcpy(to, from, piece);
    else
        memcpy(to, from, length);
}

char *align(char *at, std::uint8_t alignment) {
    // Whoever takes the row apart finds the next value behind zeros.
    memset(at, 0, 8);
    return reinterpret_cast<char *>((reinterpret_cast<std::uintptr_t>(at) + alignment) &
                                    ~static_cast<std::uintptr_t>(alignment));
}

// Null where there is no room, or the value is of a kind that only heap_form_tuple knows.
char *store_varlena(const step &how, Datum value, char *at, const char *end, std::uint16_t &flags) {
    const char *from = DatumGetPointer(value);
    const std::size_t length = VARSIZE_ANY(from);
    flags |= HEAP_HASVARWIDTH;
    if (length + 2 * piece > static_cast<std::size_t>(end - at))
        return nullptr;
    if (VARATT_IS_EXTERNAL(from)) {
        if (!VARATT_IS_EXTERNAL_ONDISK(from))
            return nullptr;
        flags |= HEAP_HASEXTERNAL;
        memcpy(at, from, length);
        return at + length;
    }
    if (VARATT_IS_SHORT(from)) {
        copy_pieces(at, from, length);
        return at + length;
    }
    if (how.what == store::packed_varlena && VARATT_CAN_MAKE_SHORT(from)) {
        const std::size_t packed = VARATT_CONVERTED_SHORT_SIZE(from);
        copy_pieces(at + 1, VARDATA(from), packed - 1);
        SET_VARSIZE_SHORT(at, packed);
        return at + packed;
    }
    at = align(at, how.alignment);
    memcpy(at, from, length);
    return at + length;
}

char *store_value(const step &how, Datum value, char *at, const char *end, std::uint16_t &flags) {
    if (how.what >= store::varlena)
        return store_varlena(how, value, at, end, flags);
    if (how.length + 2 * piece > static_cast<std::size_t>(end - at))
        return nullptr;
    at = align(at, how.alignment);
    switch (how.what) {
    case store::byte:
        *at = static_cast<char>(value);
        break;
    case store::half: {
        const std::uint16_t half = static_cast<std::uint16_t>(value);
        memcpy(at, &half, sizeof half);
        break;
    }
    case store::word: {
        const std::uint32_t word = static_cast<std::uint32_t>(value);
        memcpy(at, &word, sizeof word);
        break;
    }
    case store::whole:
        memcpy(at, &value, sizeof value);
        break;
    default:
        memcpy(at, DatumGetPointer(value), how.length);
    }
    return at + how.length;
}

// Stores the values that are not NULL, and a bit for each of them; returns the end of the row, or null.
char *store_values(const former *self, const Datum *values, const bool *nulls, bits8 *bits, char *at,
                   std::uint16_t &flags) {
    const int count = self->columns->natts;
    for (int i = 0; i < count; i++) {
        if (nulls[i])
            continue;
        bits[i >> 3] = static_cast<bits8>(bits[i >> 3] | 1 << (i & 7));
        at = store_value(self->steps[i], values[i], at, self->end, flags);
        if (!at)
            return nullptr;
    }
    return at;
}

bool any_null(const bool *nulls, int count) {
    return memchr(nulls, true, static_cast<std::size_t>(count)) != nullptr;
}

HeapTuple form_rarely(former *self, const Datum *values, const bool *nulls) {
    const MemoryContext before = ::MemoryContextSwitchTo(self->rare);
    const HeapTuple row =
        ::heap_form_tuple(self->columns, const_cast<Datum *>(values), const_cast<bool *>(nulls));
    ::MemoryContextSwitchTo(before);
    return row;
}

} // namespace

former *create_former(TupleDesc columns) {
    former *made = static_cast<former *>(::palloc0(sizeof(former)));
    made->columns = columns;
    made->steps = static_cast<step *>(::palloc0(sizeof(step) * static_cast<std::size_t>(std::max(columns->natts, 1))));
    made->has_steps = true;
    for (int i = 0; i < columns->natts; i++)
        made->has_steps &= make_step(TupleDescAttr(columns, i), made->steps[i]);
    made->block = static_cast<char *>(::palloc(block_bytes));
    made->next = made->block;
    made->end = made->block + block_bytes;
    made->rare = AllocSetContextCreate(CurrentMemoryContext, "etl long rows", ALLOCSET_DEFAULT_SIZES);
    return made;
}

HeapTuple form_row(former *self, const Datum *values, const bool *nulls) {
    const int count = self->columns->natts;
    const std::size_t bitmap = static_cast<std::size_t>(BITMAPLEN(count));
    const std::size_t head = MAXALIGN(sizeof(HeapTupleData)) + SizeofHeapTupleHeader + bitmap;
    if (!self->has_steps || MAXALIGN(head) + piece > static_cast<std::size_t>(self->end - self->next))
        return form_rarely(self, values, nulls);
    const HeapTuple tuple = reinterpret_cast<HeapTuple>(self->next);
    const HeapTupleHeader row = reinterpret_cast<HeapTupleHeader>(self->next + MAXALIGN(sizeof(HeapTupleData)));
    memset(row, 0, SizeofHeapTupleHeader + bitmap + piece / 2);
    // A row without NULLs has no bitmap: its values stand there.
    const bool has_null = any_null(nulls, count);
    bits8 none[most_bitmap];
    row->t_hoff = static_cast<std::uint8_t>(MAXALIGN(SizeofHeapTupleHeader + (has_null ? bitmap : std::size_t{0})));
    std::uint16_t flags = has_null ? HEAP_HASNULL : 0;
    char *const first = reinterpret_cast<char *>(row) + row->t_hoff;
    char *const last = store_values(self, values, nulls, has_null ? row->t_bits : none, first, flags);
    if (!last)
        return form_rarely(self, values, nulls);
    row->t_infomask = flags;
    HeapTupleHeaderSetNatts(row, count);
    ItemPointerSetInvalid(&row->t_ctid);
    tuple->t_len = static_cast<std::uint32_t>(last - reinterpret_cast<char *>(row));
    ItemPointerSetInvalid(&tuple->t_self);
    tuple->t_tableOid = InvalidOid;
    tuple->t_data = row;
    self->next = reinterpret_cast<char *>(MAXALIGN(last));
    return tuple;
}

void reset_rows(former *self) {
    self->next = self->block;
    ::MemoryContextReset(self->rare);
}

} // namespace etl::load
