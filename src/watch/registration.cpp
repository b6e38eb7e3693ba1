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
    cache = ::hash_create("pg_etl watched tables", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    ::CacheRegisterRelcacheCallback(forget, 0);
}

// Rows of the catalog for a relation, in SPI_tuptable until the end. Returns how many they are.
int begin_rows(const char *query, Oid relation) {
    Oid types[] = {OIDOID};
    Datum values[] = {ObjectIdGetDatum(relation)};
    ::SPI_connect();
    const SPIPlanPtr plan = ::SPI_prepare(query, 1, types);
    if (!plan)
        elog(ERROR, "could not look up a watched table: %s", ::SPI_result_code_string(SPI_result));
    const int code =
        ::SPI_execute_snapshot(plan, values, nullptr, ::GetLatestSnapshot(), InvalidSnapshot, true, false, 0);
    if (code != SPI_OK_SELECT)
        elog(ERROR, "could not look up a watched table: %s", ::SPI_result_code_string(code));
    if (SPI_processed > most_watchers)
        elog(ERROR, "a table is watched for more than %d portals or sources", most_watchers);
    return static_cast<int>(SPI_processed);
}

Oid oid_at(int row, int column) {
    bool is_null = false;
    return DatumGetObjectId(::SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null));
}

bool boolean_at(int row, int column) {
    bool is_null = false;
    return DatumGetBool(::SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null));
}

void look_up_portals(registration &found) {
    found.count = begin_rows(
        "SELECT p.portal, w.channel, p.prices::pg_catalog.oid, p.price_state::pg_catalog.oid, c.relowner FROM "
        "etl.watched_relation r"
        " JOIN etl.watch w ON w.portal OPERATOR(pg_catalog.=) r.portal"
        " JOIN etl.portal p ON p.portal OPERATOR(pg_catalog.=) r.portal"
        " LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.price_state::pg_catalog.oid"
        " WHERE r.relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1 ORDER BY p.price_state::pg_catalog.oid",
        found.relation);
    for (int i = 0; i < found.count; i++) {
        watched_portal &one = found.portals[i];
        const HeapTuple row = SPI_tuptable->vals[i];
        const TupleDesc columns = SPI_tuptable->tupdesc;
        const char *channel = ::SPI_getvalue(row, columns, 2);
        ::strlcpy(one.name, ::SPI_getvalue(row, columns, 1), sizeof one.name);
        ::strlcpy(one.channel, channel ? channel : "", sizeof one.channel);
        one.log = oid_at(i, 3);
        one.state = oid_at(i, 4);
        one.state_owner = oid_at(i, 5);
    }
    ::SPI_finish();
}

void look_up_sources(registration &found) {
    found.source_count =
        begin_rows("SELECT s.source::pg_catalog.oid, s.by_lid, s.by_account FROM etl.captured_relation r"
                   " JOIN etl.captured_source s ON s.source OPERATOR(pg_catalog.=) r.source"
                   " WHERE r.relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1 ORDER BY 1",
                   found.relation);
    for (int i = 0; i < found.source_count; i++)
        found.sources[i] = {oid_at(i, 1), boolean_at(i, 2), boolean_at(i, 3)};
    ::SPI_finish();
}

void look_up(registration &found) {
    as_extension_owner as_owner;
    look_up_portals(found);
    look_up_sources(found);
    as_owner.end();
}

key_column find_key(TupleDesc columns, const char *name) {
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (column->attisdropped || strcmp(NameStr(column->attname), name) != 0)
            continue;
        const Oid type = ::getBaseType(column->atttypid);
        if (type == INT2OID || type == INT4OID || type == INT8OID)
            return {column->attnum, type};
    }
    return {0, InvalidOid};
}

} // namespace

const registration *find_registration(Relation relation) {
    prepare_cache();
    const Oid key = RelationGetRelid(relation);
    bool present = false;
    auto *found = static_cast<registration *>(::hash_search(cache, &key, HASH_ENTER, &present));
    if (!present) {
        found->valid = false;
        found->count = found->source_count = 0; // forget() may come by while the catalog is read
    }
    if (!found->valid) {
        registration now{};
        now.relation = key;
        const std::uint64_t before = invalidations;
        look_up(now);
        now.is_log = fold::find_layout(RelationGetDescr(relation), now.layout);
        now.lid = find_key(RelationGetDescr(relation), "lid");
        now.account = find_key(RelationGetDescr(relation), "acc_id");
        now.valid = before == invalidations;
        *found = now;
    }
    found->layout.columns = RelationGetDescr(relation);
    return found;
}

// Whether the table of the catalog has a row now.
static bool has_rows(const char *name) {
    const Oid oid = ::get_relname_relid(name, ::get_namespace_oid("etl", true));
    const Relation table = OidIsValid(oid) ? ::try_table_open(oid, AccessShareLock) : nullptr;
    if (!table)
        return false;
    const Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
    TupleTableSlot *slot = ::table_slot_create(table, nullptr);
    const TableScanDesc scan = ::table_beginscan(table, snapshot, 0, nullptr);
    bool found = false;
    while (::table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        found = true;
        if (IsolationUsesXactSnapshot() &&
            !::table_tuple_satisfies_snapshot(table, slot, ::GetTransactionSnapshot()))
            ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                            errmsg("could not serialize access due to a change of what tables are watched"),
                            errhint("The transaction might succeed if retried.")));
    }
    ::table_endscan(scan);
    ::ExecDropSingleTupleTableSlot(slot);
    ::UnregisterSnapshot(snapshot);
    ::table_close(table, AccessShareLock);
    return found;
}

bool any_watched() {
    const bool logs = has_rows("watch");
    return has_rows("captured_source") || logs;
}

void forget_registration(Oid relation) {
    ::CacheInvalidateRelcacheByRelid(relation);
}

static void record(const char *statement, Oid type, Datum of, const char *cause) {
    Oid types[] = {type, TEXTOID};
    Datum values[] = {of, CStringGetTextDatum(cause)};
    as_extension_owner as_owner;
    ::SPI_connect();
    const int code = ::SPI_execute_with_args(statement, 2, types, values, nullptr, false, 0);
    if (code != SPI_OK_SELECT)
        elog(ERROR, "could not record a gap: %s", ::SPI_result_code_string(code));
    ::SPI_finish();
    as_owner.end();
}

void record_gap(const char *portal, const char *cause) {
    record("SELECT etl.record_price_gap($1, $2)", TEXTOID, CStringGetTextDatum(portal), cause);
}

void record_gap(Oid source, const char *cause) {
    record("SELECT etl.record_source_gap($1, $2)", OIDOID, ObjectIdGetDatum(source), cause);
}

as_state_owner::as_state_owner(Oid owner) {
    ::GetUserIdAndSecContext(&user_, &context_);
    ::SetUserIdAndSecContext(owner, context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

void as_state_owner::end() {
    ::SetUserIdAndSecContext(user_, context_);
}

} // namespace etl::watch
