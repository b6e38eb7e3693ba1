// PG regime: may ereport, so no local here needs a destructor.
#include "fold/emptied.hpp"

#include "pg/identity.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
}

namespace etl::fold {

namespace {

void insert(Oid state, Datum lids, const char *statement) {
    Oid types[] = {REGCLASSOID, INT8ARRAYOID};
    Datum values[] = {ObjectIdGetDatum(state), lids};
    const char nulls[] = {' ', DatumGetPointer(lids) ? ' ' : 'n', '\0'};
    pg::as_extension_owner as_owner;
    ::SPI_connect();
    const int code = ::SPI_execute_with_args(statement, 2, types, values, nulls, false, 0);
    if (code != SPI_OK_INSERT)
        elog(ERROR, "could not record emptied price states: %s", ::SPI_result_code_string(code));
    ::SPI_finish();
    as_owner.end();
}

} // namespace

void record_emptied(Oid state, const std::int64_t *lids, std::size_t count) {
    constexpr std::size_t at_a_time = 1000000;
    for (std::size_t done = 0; done < count; done += at_a_time) {
        const std::size_t now = std::min(at_a_time, count - done);
        Datum *elements = static_cast<Datum *>(::palloc_extended(sizeof(Datum) * now, MCXT_ALLOC_HUGE));
        for (std::size_t i = 0; i < now; i++)
            elements[i] = Int64GetDatum(lids[done + i]);
        insert(state,
               PointerGetDatum(::construct_array(elements, static_cast<int>(now), INT8OID, 8, true, TYPALIGN_DOUBLE)),
               "INSERT INTO etl.price_emptied (price_state, lid) SELECT $1, pg_catalog.unnest($2)");
        ::pfree(elements);
    }
}

void record_all_emptied(Oid state) {
    insert(state, PointerGetDatum(nullptr), "INSERT INTO etl.price_emptied (price_state) SELECT $1 WHERE $2 IS NULL");
}

} // namespace etl::fold
