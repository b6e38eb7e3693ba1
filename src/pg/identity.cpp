// Boundary: identity and settings.
#include "pg/identity.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/syscache.h"
}

namespace etl::pg {

// While an exception is under way the transaction, or subtransaction, that the error aborts puts settings back itself;
// calling into PostgreSQL then could raise a second error.
settings_scope::settings_scope() : level_(::NewGUCNestLevel()), exceptions_(std::uncaught_exceptions()) {}

settings_scope::~settings_scope() {
    if (std::uncaught_exceptions() == exceptions_)
        ::AtEOXact_GUC(false, level_);
}

void settings_scope::set(const char *name, const char *setting) {
    call([=] {
        (void)::set_config_option(name, setting, ::superuser() ? PGC_SUSET : PGC_USERSET, PGC_S_SESSION,
                                  GUC_ACTION_SAVE, true, 0, false);
    });
}

void settings_scope::force(const char *name, const char *setting) {
    call([=] {
        (void)::set_config_option(name, setting, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    });
}

role_scope::role_scope(Oid role, mode how) noexcept {
    ::GetUserIdAndSecContext(&user_, &context_);
    ::SetUserIdAndSecContext(role, context_ | SECURITY_LOCAL_USERID_CHANGE |
                                       (how == mode::foreign ? SECURITY_RESTRICTED_OPERATION : 0));
}

role_scope::~role_scope() {
    ::SetUserIdAndSecContext(user_, context_);
}

catalog_scope::catalog_scope() : role_(extension_owner(), role_scope::mode::catalog) {
    settings_.set("search_path", "pg_catalog, pg_temp");
    settings_.set("row_security", "on");
    // Where PostgreSQL's catalogs lack statistics, it would spend seconds on compiling a query of milliseconds.
    settings_.set("jit", "off");
}

owner_scope::owner_scope(Oid owner) : role_(owner, role_scope::mode::foreign) {
    settings_.set("search_path", "pg_catalog, pg_temp");
    settings_.set("row_security", "off");
}

Oid current_role() noexcept {
    return ::GetUserId();
}

string role_name(Oid role) {
    const char *name = call([=] { return ::GetUserNameFromId(role, true); });
    return name ? string(name) : format("role with OID %u", role);
}

bool is_superuser(Oid role) {
    return call([=] { return ::superuser_arg(role); });
}

bool may_act_as(Oid role) {
    return may_act_as(::GetUserId(), role);
}

bool may_act_as(Oid member, Oid role) {
    return call([=] { return ::has_privs_of_role(member, role); });
}

bool can_work_as(Oid role) {
    return call([=] {
        const HeapTuple tuple = ::SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
        if (!HeapTupleIsValid(tuple))
            return false;
#if PG_VERSION_NUM < 170000
        const bool can = reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple))->rolcanlogin;
#else
        const bool can = true;
#endif
        ::ReleaseSysCache(tuple);
        return can;
    });
}

Oid extension_oid() {
    return call([] { return ::get_extension_oid("pg_etl", true); });
}

Oid extension_owner_or_error() {
    const Oid extension = ::get_extension_oid("pg_etl", true);
    Oid found = InvalidOid;
    ScanKeyData key;
    const Relation catalog = ::table_open(ExtensionRelationId, AccessShareLock);
    ::ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(extension));
    const SysScanDesc scan = ::systable_beginscan(catalog, ExtensionOidIndexId, true, nullptr, 1, &key);
    const HeapTuple tuple = ::systable_getnext(scan);
    if (HeapTupleIsValid(tuple))
        found = reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->extowner;
    ::systable_endscan(scan);
    ::table_close(catalog, AccessShareLock);
    if (!OidIsValid(found))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("extension \"pg_etl\" is not installed in this database"),
                        errhint("Run CREATE EXTENSION pg_etl.")));
    return found;
}

Oid extension_owner() {
    return call([] { return extension_owner_or_error(); });
}

std::int64_t system_identifier() noexcept {
    return static_cast<std::int64_t>(::GetSystemIdentifier());
}

Oid current_database() noexcept {
    return MyDatabaseId;
}

void require_read_write(const char *function) {
    if (::RecoveryInProgress())
        throw etl::error("25006", view(format("cannot execute %s on a standby", function)),
                         "This server replays what another one writes.", "Call it on the primary.");
    if (XactReadOnly)
        throw etl::error("25006", view(format("cannot execute %s in a read-only transaction", function)),
                         "It writes to the catalog of pg_etl.",
                         "Use SET TRANSACTION READ WRITE, or set default_transaction_read_only to off.");
}

as_extension_owner::as_extension_owner() {
    ::GetUserIdAndSecContext(&user_, &context_);
    ::SetUserIdAndSecContext(extension_owner_or_error(), context_ | SECURITY_LOCAL_USERID_CHANGE);
}

void as_extension_owner::end() {
    ::SetUserIdAndSecContext(user_, context_);
}

} // namespace etl::pg
