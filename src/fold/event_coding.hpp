// PG regime: how the prices and days of a log become numbers, and prices of the table again.
#pragma once

#include "kernel/short_price.hpp"
#include "pg/postgres.hpp"

namespace etl::fold {

enum class price_kind : std::uint8_t { numeric, int2, int4, int8, float4, float8 };

// Integers are their own codes, and floating-point numbers have codes in their order; no number among these codes has
// the meaning that kernel/price_code.hpp gives to a few, and each price has one. Of numerics some have none.
struct event_coding {
    price_kind kind;
    kernel::price_format format;       // of numerics; of the others, what says that a code is nothing but the price
    kernel::short_price_reader reader; // of numerics
    bool day_is_date;
};

// Of the types of price and day, domains included. False for types that no log has.
bool find_coding(Oid price, std::int32_t modifier, Oid day, event_coding &coding);

// Of prices that are no numerics.
std::int64_t read_number(price_kind kind, Datum price);

// The code of a price, or `wide`, the numeric itself, where it has none; else that is NULL.
inline std::int64_t read_price(const event_coding &coding, Datum price, struct varlena *&wide) {
    wide = nullptr;
    if (unlikely(coding.kind != price_kind::numeric))
        return read_number(coding.kind, price);
    struct varlena *number = reinterpret_cast<struct varlena *>(DatumGetPointer(price));
    if (unlikely(VARATT_IS_COMPRESSED(number) || VARATT_IS_EXTERNAL(number)))
        number = ::pg_detoast_datum(number);
    // Ahead of it lies the head of a row or of an allocation.
    const std::int64_t code =
        coding.reader(reinterpret_cast<const unsigned char *>(VARDATA_ANY(number)), VARSIZE_ANY_EXHDR(number));
    if (unlikely(code == kernel::no_code))
        wide = number;
    return code;
}

// A numeric with a header of one byte, as it lies in a row.
struct short_price {
    unsigned char bytes[VARHDRSZ_SHORT + kernel::most_price_bytes];
};
// The price of a code; a numeric is written to `room`.
Datum price_datum(const event_coding &coding, std::int64_t code, short_price &room);

inline Datum day_datum(const event_coding &coding, std::int64_t day) {
    return coding.day_is_date ? Int32GetDatum(static_cast<std::int32_t>(day)) : Int64GetDatum(day);
}
inline std::int64_t read_day(const event_coding &coding, Datum day) {
    return coding.day_is_date ? DatumGetInt32(day) : DatumGetInt64(day);
}

} // namespace etl::fold
