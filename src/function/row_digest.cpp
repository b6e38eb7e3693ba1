// PG regime: may ereport, so no local here needs a destructor.
#include "function/row_digest.hpp"

#include "function/arguments.hpp"
#include "kernel/value_hash.hpp"
#include "pg/function.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/htup_details.h"
#include "utils/typcache.h"
}

namespace etl::function {

namespace {

enum class kept : std::uint8_t { word, varlena, bytes, text_of_c };

struct digested_column {
    kept how;
    std::uint16_t attribute;
    std::uint16_t length; // of `bytes`
    std::uint64_t mask;   // of `word`: narrow ones come with any bits above
    std::uint64_t seed;
    Datum of_null; // what is hashed in place of a NULL, for nothing, as a jump that can't be foreseen costs more
};

digested_column make_column(const FormData_pg_attribute *attribute) {
    digested_column made{};
    made.attribute = static_cast<std::uint16_t>(attribute->attnum - 1);
    made.seed = kernel::column_seed(NameStr(attribute->attname), strlen(NameStr(attribute->attname)));
    if (attribute->attbyval) {
        made.how = kept::word;
        made.mask = attribute->attlen == 8 ? ~UINT64CONST(0) : (UINT64CONST(1) << (8 * attribute->attlen)) - 1;
    } else if (attribute->attlen > 0) {
        made.how = kept::bytes;
        made.length = static_cast<std::uint16_t>(attribute->attlen);
        made.of_null = PointerGetDatum(::palloc0(made.length + kernel::few_bytes));
    } else {
        made.how = attribute->attlen == -1 ? kept::varlena : kept::text_of_c;
        char *const nothing = static_cast<char *>(::palloc0(VARHDRSZ + kernel::few_bytes));
        if (made.how == kept::varlena)
            SET_VARSIZE(nothing, VARHDRSZ);
        made.of_null = PointerGetDatum(nothing);
    }
    return made;
}

// Compressed, out of line, or as an expanded object.
[[gnu::noinline]] std::uint64_t hash_extended(char *value, std::uint64_t seed) {
    varlena *const flat = ::detoast_attr(reinterpret_cast<varlena *>(value));
    const std::uint64_t hash = kernel::hash_bytes(VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), seed);
    ::pfree(flat);
    return hash;
}

std::uint64_t hash_payload(const char *bytes, std::size_t length, std::uint64_t seed) {
    // Reading on behind a value is safe as long as it is in the same page of memory.
    constexpr std::uintptr_t page_of_memory = 4096;
    const bool may_read_on =
        (reinterpret_cast<std::uintptr_t>(bytes) & (page_of_memory - 1)) <= page_of_memory - kernel::few_bytes;
    if (length <= kernel::few_bytes && may_read_on)
        return kernel::hash_few_bytes(bytes, length, seed);
    return kernel::hash_bytes(bytes, length, seed);
}

std::uint64_t hash_varlena(char *value, std::uint64_t seed) {
    if (VARATT_IS_4B_U(value))
        return hash_payload(VARDATA_4B(value), VARSIZE_4B(value) - VARHDRSZ, seed);
    if (VARATT_IS_SHORT(value) && !VARATT_IS_EXTERNAL(value))
        return hash_payload(VARDATA_SHORT(value), VARSIZE_SHORT(value) - VARHDRSZ_SHORT, seed);
    return hash_extended(value, seed);
}

std::uint64_t hash_bytes_of(const digested_column &column, Datum value) {
    switch (column.how) {
    case kept::varlena:
        return hash_varlena(DatumGetPointer(value), column.seed);
    case kept::bytes:
        return hash_payload(DatumGetPointer(value), column.length, column.seed);
    default:
        return hash_payload(DatumGetCString(value), strlen(DatumGetCString(value)), column.seed);
    }
}

// Which bits of a hash count.
std::uint64_t all_unless(bool is_null) {
    return static_cast<std::uint64_t>(is_null) - 1;
}

} // namespace

struct row_digester {
    int words, count;
    digested_column columns[FLEXIBLE_ARRAY_MEMBER]; // words first
};

row_digester *create_row_digester(TupleDesc row, const Bitmapset *columns) {
    row_digester *const made = static_cast<row_digester *>(
        ::palloc0(offsetof(row_digester, columns) + sizeof(digested_column) * static_cast<std::size_t>(row->natts)));
    for (const bool words : {true, false}) {
        for (int i = 0; i < row->natts; i++) {
            const FormData_pg_attribute *attribute = TupleDescAttr(row, i);
            if (!attribute->attisdropped && attribute->attbyval == words && (!columns || ::bms_is_member(i, columns)))
                made->columns[made->count++] = make_column(attribute);
        }
        if (words)
            made->words = made->count;
    }
    return made;
}

std::uint64_t digest_row(const row_digester *self, const Datum *values, const bool *nulls) {
    std::uint64_t sum = 0;
    const digested_column *column = self->columns;
    for (const digested_column *const end = column + self->words; column < end; column++) {
        const std::uint64_t hash = kernel::hash_word(values[column->attribute] & column->mask, column->seed);
        sum += hash & all_unless(nulls[column->attribute]);
    }
    for (const digested_column *const end = self->columns + self->count; column < end; column++) {
        const bool is_null = nulls[column->attribute];
        const Datum value = is_null ? column->of_null : values[column->attribute];
        sum += hash_bytes_of(*column, value) & all_unless(is_null);
    }
    return kernel::row_digest(sum);
}

namespace {

// What a call site remembers of the type of the rows that it has seen last.
struct record_digester {
    Oid type;
    std::int32_t typmod;
    TupleDesc row;
    row_digester *digester;
    Datum *values;
    bool *nulls;
};

record_digester *digester_of(FunctionCallInfo fcinfo, HeapTupleHeader record) {
    record_digester *self = static_cast<record_digester *>(fcinfo->flinfo->fn_extra);
    const Oid type = HeapTupleHeaderGetTypeId(record);
    const std::int32_t typmod = HeapTupleHeaderGetTypMod(record);
    if (self && self->type == type && self->typmod == typmod)
        return self;
    const MemoryContext before = ::MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    self = static_cast<record_digester *>(::palloc0(sizeof(record_digester)));
    self->type = type;
    self->typmod = typmod;
    self->row = ::lookup_rowtype_tupdesc_copy(type, typmod);
    self->digester = create_row_digester(self->row, nullptr);
    const std::size_t count = static_cast<std::size_t>(self->row->natts);
    self->values = static_cast<Datum *>(::palloc(sizeof(Datum) * count));
    self->nulls = static_cast<bool *>(::palloc(sizeof(bool) * count));
    ::MemoryContextSwitchTo(before);
    fcinfo->flinfo->fn_extra = self;
    return self;
}

std::uint64_t digest_record(FunctionCallInfo fcinfo, Datum argument) {
    const HeapTupleHeader record = DatumGetHeapTupleHeader(argument);
    record_digester *const self = digester_of(fcinfo, record);
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(record);
    tuple.t_data = record;
    ::heap_deform_tuple(&tuple, self->row, self->values, self->nulls);
    const std::uint64_t digest = digest_row(self->digester, self->values, self->nulls);
    if (reinterpret_cast<Pointer>(record) != DatumGetPointer(argument))
        ::pfree(record);
    return digest;
}

} // namespace

ETL_FUNCTION(etl_row_digest) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    return Int64GetDatum(static_cast<std::int64_t>(digest_record(fcinfo, fcinfo->args[0].value)));
}

ETL_FUNCTION(etl_add_row_digest) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    const std::uint64_t sum = static_cast<std::uint64_t>(PG_GETARG_INT64(0));
    return Int64GetDatum(static_cast<std::int64_t>(sum + digest_record(fcinfo, fcinfo->args[1].value)));
}

ETL_FUNCTION(etl_add_digests) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    return Int64GetDatum(static_cast<std::int64_t>(static_cast<std::uint64_t>(PG_GETARG_INT64(0)) +
                                                   static_cast<std::uint64_t>(PG_GETARG_INT64(1))));
}

ETL_FUNCTION(etl_subtract_digests) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    return Int64GetDatum(static_cast<std::int64_t>(static_cast<std::uint64_t>(PG_GETARG_INT64(0)) -
                                                   static_cast<std::uint64_t>(PG_GETARG_INT64(1))));
}

} // namespace etl::function
