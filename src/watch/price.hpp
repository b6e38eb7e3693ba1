// PG regime: a price of any type that a log may have, in a form that compares fast.
#pragma once

#include "pg/postgres.hpp"

namespace etl::watch {

enum class price_type : std::uint8_t { int2, int4, int8, float4, float8, numeric, unknown };
enum class day_type : std::uint8_t { date, timestamp, unknown };

// Of a column's type, domains included.
price_type price_type_of(Oid type);
day_type day_type_of(Oid type);

// Ordered by key, then scale. A numeric of up to 12 digits before and 4 after the point has its value times 10^4 as key
// and its digits beside it; any other is `wide`: a pointer to the whole, compared by numeric's own comparison.
struct price {
    std::int64_t key;
    std::int16_t scale; // display scale: of equal numerics the one with fewer digits comes first
    std::uint8_t size;  // of the digits
    bool wide;
    char digits[12];
};

// Reads a value that is not NULL. A wide one points to the value (or to a detoasted copy in the current context).
price read_price(price_type type, Datum value);
// As it is stored. Numerics are allocated in the current context.
Datum price_datum(price_type type, const price &one);
// A copy that outlives what `one` was read from.
price keep_price(const price &one, MemoryContext memory);

int compare_wide(const price &a, const price &b);
inline int compare(const price &a, const price &b) {
    if (unlikely(a.wide || b.wide))
        return compare_wide(a, b);
    if (a.key != b.key)
        return a.key < b.key ? -1 : 1;
    return a.scale - b.scale;
}

} // namespace etl::watch
