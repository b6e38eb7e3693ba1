// PG regime: may ereport, so no local here needs a destructor.
#include "sync/rate_rows.hpp"

#include "pg/postgres.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
}

namespace etl::sync {

namespace {

Datum array_of(Datum *elements, bool *nulls, int count, Oid type) {
    std::int16_t length = -1;
    bool by_value = false;
    char alignment = TYPALIGN_INT;
    if (type == DATEOID) {
        length = sizeof(DateADT);
        by_value = true;
    }
    int dimensions[1] = {count}, bounds[1] = {1};
    return PointerGetDatum(
        ::construct_md_array(elements, nulls, 1, dimensions, bounds, type, length, by_value, alignment));
}

Datum *room(std::size_t count) {
    return static_cast<Datum *>(::palloc_extended(count * sizeof(Datum), MCXT_ALLOC_HUGE));
}

Datum text_of(std::string_view characters) {
    return PointerGetDatum(::cstring_to_text_with_len(characters.data(), static_cast<int>(characters.size())));
}

} // namespace

void insert_set(const function::rate_set &set) {
    Datum *countries = room(set.count), *currencies = room(set.count), *days = room(set.count),
          *rates = room(set.count);
    bool *nulls = static_cast<bool *>(::palloc0(set.count));
    for (std::size_t i = 0; i < set.count; i++) {
        countries[i] = text_of(set.rates[i].country);
        currencies[i] = text_of(set.rates[i].currency);
        days[i] = DateADTGetDatum(set.rates[i].valid_from);
        rates[i] = PointerGetDatum(set.rates[i].value);
        nulls[i] = !set.rates[i].value;
    }
    const int count = static_cast<int>(set.count);
    Oid types[] = {INT8OID, TEXTARRAYOID, TEXTARRAYOID, DATEARRAYOID, NUMERICARRAYOID};
    Datum values[] = {Int64GetDatum(set.digest), array_of(countries, nullptr, count, TEXTOID),
                      array_of(currencies, nullptr, count, TEXTOID), array_of(days, nullptr, count, DATEOID),
                      array_of(rates, nulls, count, NUMERICOID)};
    ::SPI_connect();
    // Of two rates of one day the later counts.
    const int code = ::SPI_execute_with_args(
        "INSERT INTO etl.used_rate SELECT DISTINCT ON (country, currency, valid_from) $1, country, currency, "
        "valid_from,"
        " rate FROM unnest($2, $3, $4, $5) WITH ORDINALITY r(country, currency, valid_from, rate, n)"
        " ORDER BY country, currency, valid_from, n DESC ON CONFLICT DO NOTHING",
        5, types, values, nullptr, false, 0);
    if (code != SPI_OK_INSERT)
        elog(ERROR, "keeping rates failed with %s", ::SPI_result_code_string(code));
    ::SPI_finish();
}

} // namespace etl::sync
