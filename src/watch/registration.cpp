// PG regime: registrations, cached by the table that the trigger fires for.
#include "watch/registration.hpp"

#include "pg/identity.hpp"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::watch {

namespace {

HTAB *cache = nullptr;
std::uint64_t invalidations = 0; // any of them; tells whether one came in while the catalog was read

void forget(Datum, Oid relation) {
    HASH_SEQ_STATUS all;
    ::hash_seq_init(&all, cache);
    while (auto *one = static_cast<registration *>(::hash_seq_search(&all))) {
        bool touched = !OidIsValid(relation) || one->relation == relation;
        for (int i = 0; i < one->count && !touched; i++)
            touched = one->portals[i].log == relation || one->portals[i].state == relation;
        if (touched)
            one->valid = false;
    }
    invalidations++;
}

void prepare_cache() {
    if (cache)
        return;
    HASHCTL control{};
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(registration);
    control.hcxt = TopMemoryContext;
    cache = ::hash_create("pg_etl watched price logs", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    ::CacheRegisterRelcacheCallback(forget, 0);
}

void look_up(registration &found) {
    constexpr const char *query =
        "SELECT p.portal, w.channel, p.prices::pg_catalog.oid, p.price_state::pg_catalog.oid, c.relowner FROM "
        "etl.watched_relation r"
        " JOIN etl.watch w ON w.portal OPERATOR(pg_catalog.=) r.portal"
        " JOIN etl.portal p ON p.portal OPERATOR(pg_catalog.=) r.portal"
        " LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.price_state::pg_catalog.oid"
        " WHERE r.relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1 ORDER BY p.price_state::pg_catalog.oid";
    Oid types[] = {OIDOID};
    Datum values[] = {ObjectIdGetDatum(found.relation)};
    as_extension_owner as_owner;
    ::SPI_connect();
    const SPIPlanPtr plan = ::SPI_prepare(query, 1, types);
    if (!plan)
        elog(ERROR, "could not look up a watched price log: %s", ::SPI_result_code_string(SPI_result));
    const int code =
        ::SPI_execute_snapshot(plan, values, nullptr, ::GetLatestSnapshot(), InvalidSnapshot, true, false, 0);
    if (code != SPI_OK_SELECT)
        elog(ERROR, "could not look up a watched price log: %s", ::SPI_result_code_string(code));
    if (SPI_processed > most_portals)
        elog(ERROR, "a price log is watched for more than %d portals", most_portals);
    found.count = static_cast<int>(SPI_processed);
    for (int i = 0; i < found.count; i++) {
        watched_portal &one = found.portals[i];
        const HeapTuple row = SPI_tuptable->vals[i];
        const TupleDesc columns = SPI_tuptable->tupdesc;
        bool is_null = false;
        const char *channel = ::SPI_getvalue(row, columns, 2);
        ::strlcpy(one.name, ::SPI_getvalue(row, columns, 1), sizeof one.name);
        ::strlcpy(one.channel, channel ? channel : "", sizeof one.channel);
        one.log = DatumGetObjectId(::SPI_getbinval(row, columns, 3, &is_null));
        one.state = DatumGetObjectId(::SPI_getbinval(row, columns, 4, &is_null));
        one.state_owner = DatumGetObjectId(::SPI_getbinval(row, columns, 5, &is_null));
    }
    ::SPI_finish();
    as_owner.end();
}

} // namespace

const registration *find_registration(Relation relation) {
    prepare_cache();
    const Oid key = RelationGetRelid(relation);
    bool present = false;
    auto *found = static_cast<registration *>(::hash_search(cache, &key, HASH_ENTER, &present));
    if (!present) {
        found->valid = false;
        found->count = 0; // forget() may come by while the catalog is read
    }
    if (!found->valid) {
        registration now{};
        now.relation = key;
        const std::uint64_t before = invalidations;
        look_up(now);
        now.is_log = fold::find_layout(RelationGetDescr(relation), now.layout);
        now.valid = before == invalidations;
        *found = now;
    }
    found->layout.columns = RelationGetDescr(relation);
    return found;
}

bool any_watched() {
    const Oid oid = ::get_relname_relid("watch", ::get_namespace_oid("etl", true));
    const Relation watch = OidIsValid(oid) ? ::try_table_open(oid, AccessShareLock) : nullptr;
    if (!watch)
        return false;
    const Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
    TupleTableSlot *slot = ::table_slot_create(watch, nullptr);
    const TableScanDesc scan = ::table_beginscan(watch, snapshot, 0, nullptr);
    bool found = false;
    while (::table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        found = true;
        if (IsolationUsesXactSnapshot() &&
            !::table_tuple_satisfies_snapshot(watch, slot, ::GetTransactionSnapshot()))
            ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                            errmsg("could not serialize access due to a change of what price logs are watched"),
                            errhint("The transaction might succeed if retried.")));
    }
    ::table_endscan(scan);
    ::ExecDropSingleTupleTableSlot(slot);
    ::UnregisterSnapshot(snapshot);
    ::table_close(watch, AccessShareLock);
    return found;
}

void forget_registration(Oid relation) {
    ::CacheInvalidateRelcacheByRelid(relation);
}

void record_gap(const char *portal, const char *cause) {
    Oid types[] = {TEXTOID, TEXTOID};
    Datum values[] = {CStringGetTextDatum(portal), CStringGetTextDatum(cause)};
    as_extension_owner as_owner;
    ::SPI_connect();
    const int code =
        ::SPI_execute_with_args("SELECT etl.record_price_gap($1, $2)", 2, types, values, nullptr, false, 0);
    if (code != SPI_OK_SELECT)
        elog(ERROR, "could not record a gap: %s", ::SPI_result_code_string(code));
    ::SPI_finish();
    as_owner.end();
}

as_state_owner::as_state_owner(Oid owner) {
    ::GetUserIdAndSecContext(&user_, &context_);
    ::SetUserIdAndSecContext(owner, context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

void as_state_owner::end() {
    ::SetUserIdAndSecContext(user_, context_);
}

} // namespace etl::watch
