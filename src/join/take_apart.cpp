// PG regime: may ereport, so no local here needs a destructor.
#include "join/take_apart.hpp"

extern "C" {
#include "access/tupmacs.h"
}

namespace etl::join {

namespace {

enum class kind : std::uint8_t { byte, half, word, whole, bytes, varlena, cstring };

kind kind_of(const FormData_pg_attribute *attribute) {
    if (attribute->attlen == -1)
        return kind::varlena;
    if (attribute->attlen == -2)
        return kind::cstring;
    if (!attribute->attbyval)
        return kind::bytes;
    return attribute->attlen == 1   ? kind::byte
           : attribute->attlen == 2 ? kind::half
           : attribute->attlen == 4 ? kind::word
                                    : kind::whole;
}

constexpr int nowhere = -1;

template <class T> T read(const char *at) {
    T value;
    memcpy(&value, at, sizeof value);
    return value;
}

} // namespace

struct attribute_step {
    kind what;
    std::uint8_t alignment; // less one
    std::int16_t length;
    int to; // or nowhere
};

namespace {

// Sign and size as fetch_att has them.
Datum value_at(const attribute_step &step, const char *at) {
    switch (step.what) {
    case kind::byte:
        return CharGetDatum(*at);
    case kind::half:
        return Int16GetDatum(read<std::int16_t>(at));
    case kind::word:
        return Int32GetDatum(read<std::int32_t>(at));
    case kind::whole:
        return read<Datum>(at);
    default:
        return PointerGetDatum(at);
    }
}

std::size_t length_at(const attribute_step &step, const char *at) {
    return step.what == kind::varlena   ? static_cast<std::size_t>(VARSIZE_ANY(at))
           : step.what == kind::cstring ? strlen(at) + 1
                                        : static_cast<std::size_t>(step.length);
}

const char *align(const attribute_step &step, const char *at) {
    // A varlena of the short kind stands where the last value ended; where there is padding, it is zero.
    if (step.what == kind::varlena && VARATT_NOT_PAD_BYTE(at))
        return at;
    const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(at);
    return at + ((~address + 1) & step.alignment);
}

// Attributes that the table had not yet when the row was written.
void fill_missing(const taking_apart &plan, int from, Datum *values, bool *nulls) {
    for (int i = from; i < plan.count; i++)
        if (plan.steps[i].to != nowhere)
            values[plan.steps[i].to] = ::getmissingattr(plan.rows, i + 1, &nulls[plan.steps[i].to]);
}

template <bool has_nulls>
void take_present(const taking_apart &plan, int count, HeapTupleHeader row, Datum *values, bool *nulls) {
    const char *at = reinterpret_cast<const char *>(row) + row->t_hoff;
    for (int i = 0; i < count; i++) {
        const attribute_step &step = plan.steps[i];
        if (has_nulls && att_isnull(i, row->t_bits)) {
            if (step.to != nowhere) {
                values[step.to] = static_cast<Datum>(0);
                nulls[step.to] = true;
            }
            continue;
        }
        at = align(step, at);
        if (step.to != nowhere) {
            values[step.to] = value_at(step, at);
            nulls[step.to] = false;
        }
        at += length_at(step, at);
    }
}

} // namespace

taking_apart plan_taking_apart(TupleDesc rows, const column *columns, int count) {
    taking_apart made{0, nullptr, rows};
    for (int i = 0; i < count; i++)
        made.count = std::max<int>(made.count, columns[i].from);
    made.steps = static_cast<attribute_step *>(
        ::palloc(sizeof(attribute_step) * static_cast<std::size_t>(std::max(made.count, 1))));
    for (int i = 0; i < made.count; i++) {
        const FormData_pg_attribute *attribute = TupleDescAttr(rows, i);
        const int alignment = attribute->attalign == TYPALIGN_DOUBLE  ? ALIGNOF_DOUBLE
                              : attribute->attalign == TYPALIGN_INT   ? ALIGNOF_INT
                              : attribute->attalign == TYPALIGN_SHORT ? ALIGNOF_SHORT
                                                                      : 1;
        made.steps[i] = {kind_of(attribute), static_cast<std::uint8_t>(alignment - 1), attribute->attlen, nowhere};
    }
    for (int i = 0; i < count; i++)
        made.steps[columns[i].from - 1].to = columns[i].to;
    return made;
}

void take_apart(const taking_apart &plan, HeapTupleHeader row, Datum *values, bool *nulls) {
    const int present = std::min<int>(plan.count, HeapTupleHeaderGetNatts(row));
    if (row->t_infomask & HEAP_HASNULL)
        take_present<true>(plan, present, row, values, nulls);
    else
        take_present<false>(plan, present, row, values, nulls);
    if (present < plan.count)
        fill_missing(plan, present, values, nulls);
}

} // namespace etl::join
