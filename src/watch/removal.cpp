// PG regime: the queue of emptied lids.
#include "watch/removal.hpp"

#include "fold/emptied.hpp"
#include "pg/lock.hpp"
#include "watch/apply.hpp"
#include "watch/registration.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
}

namespace etl::watch {

namespace {

pg::lock_key key(pg::lock_kind kind, Oid state) {
    return {kind, state, 0};
}

void insert_into_queue(Oid state, const std::int64_t *lids, std::size_t count) {
    Datum *elements = static_cast<Datum *>(::palloc_extended(sizeof(Datum) * count, MCXT_ALLOC_HUGE));
    for (std::size_t i = 0; i < count; i++)
        elements[i] = Int64GetDatum(lids[i]);
    Oid types[] = {OIDOID, INT8ARRAYOID};
    Datum values[] = {ObjectIdGetDatum(state), PointerGetDatum(::construct_array(elements, static_cast<int>(count),
                                                                                 INT8OID, 8, true, TYPALIGN_DOUBLE))};
    as_extension_owner as_owner;
    ::SPI_connect();
    const int code = ::SPI_execute_with_args("INSERT INTO etl.price_removal (price_state, lid)"
                                             " SELECT $1, pg_catalog.unnest($2)",
                                             2, types, values, nullptr, false, 0);
    if (code != SPI_OK_INSERT)
        elog(ERROR, "could not queue removals: %s", ::SPI_result_code_string(code));
    ::SPI_finish();
    as_owner.end();
}

} // namespace

void queue_emptied(Oid state, const std::int64_t *lids, std::size_t count) {
    if (count == 0)
        return;
    fold::record_emptied(state, lids, count);
    pg::share_in_transaction(key(pg::lock_kind::removal, state));
    if (!pg::is_shared_by_others(key(pg::lock_kind::folding, state)))
        return;
    constexpr std::size_t at_a_time = 1000000;
    for (std::size_t done = 0; done < count; done += at_a_time)
        insert_into_queue(state, lids + done, std::min(at_a_time, count - done));
}

void announce_fold(Oid state) {
    pg::share_in_transaction(key(pg::lock_kind::folding, state));
    pg::wait_for_sharers(key(pg::lock_kind::removal, state));
}

} // namespace etl::watch
