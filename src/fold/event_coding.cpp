// PG regime: may ereport (for compressed or foreign values only), so no local here needs a destructor.
#include "fold/event_coding.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
}

namespace etl::fold {

namespace {

constexpr kernel::price_format whole_numbers{0, false};

bool find_kind(Oid type, price_kind &kind) {
    switch (type) {
    case NUMERICOID:
        kind = price_kind::numeric;
        return true;
    case INT2OID:
        kind = price_kind::int2;
        return true;
    case INT4OID:
        kind = price_kind::int4;
        return true;
    case INT8OID:
        kind = price_kind::int8;
        return true;
    case FLOAT4OID:
        kind = price_kind::float4;
        return true;
    case FLOAT8OID:
        kind = price_kind::float8;
        return true;
    default:
        return false;
    }
}

// As numeric_typmod_scale has it; of a scale below zero no places are shown.
kernel::price_format format_of(std::int32_t modifier) {
    if (modifier < 0)
        return kernel::open_format;
    const int scale = std::max((((modifier - VARHDRSZ) & 0x7ff) ^ 1024) - 1024, 0);
    return scale <= kernel::most_scale ? kernel::price_format{scale, false} : kernel::open_format;
}

// Doubles in the order that PostgreSQL gives them, NaN greatest, and minus zero before zero as the fold has it.
std::int64_t code_of_float(double number) {
    if (number != number)
        return PG_INT64_MAX;
    std::int64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits < 0 ? bits ^ PG_INT64_MAX : bits;
}

double float_of_code(std::int64_t code) {
    if (code == PG_INT64_MAX)
        return ::get_float8_nan();
    const std::int64_t bits = code < 0 ? code ^ PG_INT64_MAX : code;
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

} // namespace

bool find_coding(Oid price, std::int32_t modifier, Oid day, event_coding &coding) {
    const Oid price_type = ::getBaseTypeAndTypmod(price, &modifier), day_type = ::getBaseType(day);
    if (!find_kind(price_type, coding.kind) ||
        (day_type != DATEOID && day_type != TIMESTAMPOID && day_type != TIMESTAMPTZOID))
        return false;
    coding.format = coding.kind == price_kind::numeric ? format_of(modifier) : whole_numbers;
    coding.reader = kernel::short_price_reader(coding.format);
    coding.day_is_date = day_type == DATEOID;
    return true;
}

std::int64_t read_number(price_kind kind, Datum price) {
    switch (kind) {
    case price_kind::int2:
        return DatumGetInt16(price);
    case price_kind::int4:
        return DatumGetInt32(price);
    case price_kind::float4:
        return code_of_float(static_cast<double>(DatumGetFloat4(price)));
    case price_kind::float8:
        return code_of_float(DatumGetFloat8(price));
    default:
        return DatumGetInt64(price);
    }
}

Datum price_datum(const event_coding &coding, std::int64_t code, short_price &room) {
    switch (coding.kind) {
    case price_kind::int2:
        return Int16GetDatum(static_cast<std::int16_t>(code));
    case price_kind::int4:
        return Int32GetDatum(static_cast<std::int32_t>(code));
    case price_kind::int8:
        return Int64GetDatum(code);
    case price_kind::float4:
        return Float4GetDatum(static_cast<float>(float_of_code(code)));
    case price_kind::float8:
        return Float8GetDatum(float_of_code(code));
    default:
        break;
    }
    const std::size_t length = kernel::price_of_code(code, coding.format, room.bytes + VARHDRSZ_SHORT);
    SET_VARSIZE_SHORT(room.bytes, length + VARHDRSZ_SHORT);
    return PointerGetDatum(room.bytes);
}

} // namespace etl::fold
