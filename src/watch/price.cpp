// PG regime: reading, comparing and giving back prices.
#include "watch/price.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
}

#include <cstring>

namespace etl::watch {

namespace {

// The on-disk layout of numeric, which numeric.c keeps to itself and which has not changed since 9.1.
constexpr std::uint16_t kind_mask = 0xC000, special = 0xC000, is_short = 0x8000, is_negative = 0x4000;
constexpr std::uint16_t short_negative = 0x2000, short_scale = 0x1F80, short_weight_sign = 0x0040,
                        short_weight = 0x003F;
constexpr int short_scale_shift = 7, header_size = 2, digit_size = 2;
constexpr int most_weight = 2; // 12 digits before the point

std::uint16_t header_of(const char *payload) {
    std::uint16_t header;
    std::memcpy(&header, payload, sizeof header);
    return header;
}

int scale_of(const char *payload) {
    const std::uint16_t header = header_of(payload);
    if ((header & kind_mask) == special)
        return 0;
    return (header & kind_mask) == is_short ? (header & short_scale) >> short_scale_shift : header & 0x3FFF;
}

// True where value * 10^4 is a whole number that fits, and so stands for the value.
bool make_key(const char *payload, std::size_t size, std::int64_t &key) {
    static_assert(sizeof(price::digits) >= header_size + (most_weight + 2) * digit_size);
    const std::uint16_t header = header_of(payload);
    if ((header & kind_mask) != is_short)
        return false;
    int weight = header & short_weight;
    if (header & short_weight_sign)
        weight |= ~static_cast<int>(short_weight);
    const int digits = static_cast<int>((size - header_size) / digit_size);
    if (digits == 0) {
        key = 0;
        return true;
    }
    if (weight > most_weight || weight < -1 || digits > weight + 2)
        return false;
    std::int64_t value = 0;
    for (int i = 0; i < weight + 2; i++) {
        std::int16_t digit = 0;
        if (i < digits)
            std::memcpy(&digit, payload + header_size + i * digit_size, sizeof digit);
        value = value * 10000 + digit;
    }
    key = header & short_negative ? -value : value;
    return true;
}

price read_numeric(Datum value) {
    auto *stored = reinterpret_cast<struct varlena *>(DatumGetPointer(value));
    if (VARATT_IS_EXTENDED(stored) && !VARATT_IS_SHORT(stored))
        stored = ::pg_detoast_datum(stored);
    const char *payload = VARDATA_ANY(stored);
    const std::size_t size = VARSIZE_ANY_EXHDR(stored);
    price one{};
    one.scale = static_cast<std::int16_t>(scale_of(payload));
    one.wide = !make_key(payload, size, one.key);
    if (one.wide) {
        std::memcpy(one.digits, &stored, sizeof stored);
    } else {
        one.size = static_cast<std::uint8_t>(size);
        std::memcpy(one.digits, payload, size);
    }
    return one;
}

const struct varlena *wide_of(const price &one) {
    const struct varlena *stored;
    std::memcpy(&stored, one.digits, sizeof stored);
    return stored;
}

// Doubles in the order that PostgreSQL gives them, NaN greatest, and minus zero before zero as the fold has it.
std::int64_t float_key(double number) {
    if (number != number)
        return PG_INT64_MAX;
    std::int64_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    return bits < 0 ? bits ^ PG_INT64_MAX : bits;
}

double float_of(std::int64_t key) {
    if (key == PG_INT64_MAX)
        return ::get_float8_nan();
    const std::int64_t bits = key < 0 ? key ^ PG_INT64_MAX : key;
    double number;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

} // namespace

price_type price_type_of(Oid type) {
    switch (::getBaseType(type)) {
    case INT2OID:
        return price_type::int2;
    case INT4OID:
        return price_type::int4;
    case INT8OID:
        return price_type::int8;
    case FLOAT4OID:
        return price_type::float4;
    case FLOAT8OID:
        return price_type::float8;
    case NUMERICOID:
        return price_type::numeric;
    default:
        return price_type::unknown;
    }
}

day_type day_type_of(Oid type) {
    switch (::getBaseType(type)) {
    case DATEOID:
        return day_type::date;
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return day_type::timestamp;
    default:
        return day_type::unknown;
    }
}

price read_price(price_type type, Datum value) {
    price one{};
    switch (type) {
    case price_type::int2:
        one.key = DatumGetInt16(value);
        break;
    case price_type::int4:
        one.key = DatumGetInt32(value);
        break;
    case price_type::int8:
        one.key = DatumGetInt64(value);
        break;
    case price_type::float4:
        one.key = float_key(static_cast<double>(DatumGetFloat4(value)));
        break;
    case price_type::float8:
        one.key = float_key(DatumGetFloat8(value));
        break;
    default:
        return read_numeric(value);
    }
    return one;
}

Datum price_datum(price_type type, const price &one) {
    switch (type) {
    case price_type::int2:
        return Int16GetDatum(static_cast<std::int16_t>(one.key));
    case price_type::int4:
        return Int32GetDatum(static_cast<std::int32_t>(one.key));
    case price_type::int8:
        return Int64GetDatum(one.key);
    case price_type::float4:
        return Float4GetDatum(static_cast<float>(float_of(one.key)));
    case price_type::float8:
        return Float8GetDatum(float_of(one.key));
    default:
        break;
    }
    if (one.wide)
        return PointerGetDatum(wide_of(one));
    auto *stored = static_cast<struct varlena *>(::palloc(VARHDRSZ + one.size));
    SET_VARSIZE(stored, VARHDRSZ + one.size);
    std::memcpy(VARDATA(stored), one.digits, one.size);
    return PointerGetDatum(stored);
}

price keep_price(const price &one, MemoryContext memory) {
    if (!one.wide)
        return one;
    const struct varlena *stored = wide_of(one);
    void *copy = ::MemoryContextAlloc(memory, VARSIZE_ANY(stored));
    std::memcpy(copy, stored, VARSIZE_ANY(stored));
    price kept = one;
    std::memcpy(kept.digits, &copy, sizeof copy);
    return kept;
}

int compare_wide(const price &a, const price &b) {
    const int order = DatumGetInt32(
        DirectFunctionCall2(::numeric_cmp, price_datum(price_type::numeric, a), price_datum(price_type::numeric, b)));
    return order != 0 ? order : a.scale - b.scale;
}

} // namespace etl::watch
