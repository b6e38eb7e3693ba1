// PG regime: may ereport
#include "function/rates.hpp"

#include "pg/foreign_code.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace etl::function {

namespace {

const char *const hint = "Name a relation with the columns country, currency, valid_from and rate: "
                         "SELECT etl_set_rates('...').";

[[noreturn]] void refuse_kind(Relation relation) {
    if (RelationUsesLocalBuffers(relation))
        ereport(ERROR,
                (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                 errmsg("cannot read currency rates from temporary relation \"%s\"", RelationGetRelationName(relation)),
                 errdetail("Other sessions and parallel workers cannot see it."), errhint("%s", hint)));
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("cannot read currency rates from relation \"%s\"", RelationGetRelationName(relation)),
                    errdetail("It is not a table, partitioned table, foreign table or materialized view."),
                    errhint("%s", hint)));
}

bool is_text(Oid type) noexcept {
    return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

// Looks at the column's base type, so a domain is fine: its constraints were checked when the value was stored.
void check_column(Relation relation, const char *column, const char *wanted, bool (*fits)(Oid type)) {
    const AttrNumber number = ::get_attnum(RelationGetRelid(relation), column);
    if (number <= 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("relation \"%s\" of currency rates has no column \"%s\"",
                               RelationGetRelationName(relation), column),
                        errdetail("The column \"%s\" must be of type %s.", column, wanted), errhint("%s", hint)));
    const Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);
    // A column that is computed when it is read (PostgreSQL 18) would run functions, as views do.
    const bool stored = attribute->attgenerated == '\0' || attribute->attgenerated == ATTRIBUTE_GENERATED_STORED;
    if (!stored || !fits(::getBaseType(attribute->atttypid)))
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("column \"%s\" of relation \"%s\" of currency rates has a wrong type", column,
                               RelationGetRelationName(relation)),
                        errdetail("The column must be stored and of type %s, not %s.", wanted,
                                  ::format_type_be(attribute->atttypid)),
                        errhint("%s", hint)));
}

// The relation in etl.rates, or InvalidOid. Whoever converts need not have rights on that table, which is ours.
Oid relation_of_setting() {
    const Oid setting = ::get_relname_relid("rates", ::get_namespace_oid("etl", false));
    const AttrNumber number = ::get_attnum(setting, "relation");
    if (number <= 0)
        elog(ERROR, "table etl.rates is missing or damaged");
    Oid relation = InvalidOid;
    const Relation table = ::table_open(setting, AccessShareLock);
    const SysScanDesc scan = ::systable_beginscan(table, InvalidOid, false, ::GetActiveSnapshot(), 0, nullptr);
    const HeapTuple row = ::systable_getnext(scan);
    if (HeapTupleIsValid(row)) {
        bool is_null;
        relation = DatumGetObjectId(heap_getattr(row, number, RelationGetDescr(table), &is_null));
    }
    ::systable_endscan(scan);
    ::table_close(table, AccessShareLock);
    return relation;
}

// Or raw.currency_rates; InvalidOid if there is neither.
Oid find_relation() {
    const Oid relation = relation_of_setting();
    const Oid schema = OidIsValid(relation) ? InvalidOid : ::get_namespace_oid("raw", true);
    return OidIsValid(schema) ? ::get_relname_relid("currency_rates", schema) : relation;
}

bool is_of_trusted(Oid relation) {
    const HeapTuple tuple = ::SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple))
        return false;
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ::ReleaseSysCache(tuple);
    return ::has_privs_of_role(owner, ::GetUserId());
}

// Anybody may have named the rates, and an index or a child table of theirs runs code of its owner.
void refuse_code_of_others(Oid relation) {
    bool trusted = true;
    List *const members = ::find_all_inheritors(relation, AccessShareLock, nullptr);
    ListCell *cell;
    foreach (cell, members)
        trusted = trusted && is_of_trusted(lfirst_oid(cell));
    ::list_free(members);
    if (trusted)
        return;
    const pg::foreign_code found = pg::find_foreign_code(&relation, 1, ::GetUserId(), pg::code_of::reading);
    if (found.what)
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("cannot read currency rates from relation \"%s\"", ::get_rel_name(relation)),
                        errdetail("Code of role \"%s\" in %s would run with the rights of role \"%s\".",
                                  ::GetUserNameFromId(found.owner, false), found.what,
                                  ::GetUserNameFromId(::GetUserId(), false)),
                        errhint("Name other rates with etl_set_rates, or have a role that is trusted own these.")));
}

} // namespace

void check_rates_relation(Oid relation) {
    const Relation opened = ::try_relation_open(relation, AccessShareLock);
    if (!opened)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation of currency rates does not exist"),
                        errdetail("The relation with OID %u was dropped.", relation), errhint("%s", hint)));
    const char kind = opened->rd_rel->relkind;
    if (RelationUsesLocalBuffers(opened) || (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE &&
                                             kind != RELKIND_FOREIGN_TABLE && kind != RELKIND_MATVIEW))
        refuse_kind(opened);
    check_column(opened, "country", "text, character varying or character", is_text);
    check_column(opened, "currency", "text, character varying or character", is_text);
    check_column(opened, "valid_from", "date", [](Oid type) { return type == DATEOID; });
    check_column(opened, "rate", "numeric", [](Oid type) { return type == NUMERICOID; });
    ::relation_close(opened, NoLock);
}

void lock_rates() {
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    const Oid relation = find_relation();
    const Relation opened = OidIsValid(relation) ? ::try_relation_open(relation, AccessShareLock) : nullptr;
    if (opened) {
        ::list_free(::find_all_inheritors(relation, AccessShareLock, nullptr));
        ::relation_close(opened, NoLock);
    }
    ::PopActiveSnapshot();
}

Oid rates_relation() {
    const Oid relation = find_relation();
    if (!OidIsValid(relation))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no relation of currency rates"),
                 errdetail("No relation was named, and raw.currency_rates does not exist."), errhint("%s", hint)));
    check_rates_relation(relation);
    refuse_code_of_others(relation);
    return relation;
}

} // namespace etl::function
