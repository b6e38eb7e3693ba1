// Boundary: code of others, as the catalog tells of it.
#include "pg/foreign_code.hpp"

#include "pg/kept_plan.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

namespace {

// Children that are being detached count: older snapshots read them still.
#define REACHED                                                                                                        \
    "WITH RECURSIVE reached (oid) AS (SELECT unnest($1) UNION SELECT below.oid FROM reached CROSS JOIN LATERAL ("      \
    "  SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = reached.oid"                                           \
    "  UNION ALL SELECT d.refobjid FROM pg_class v JOIN pg_rewrite w ON w.ev_class = v.oid"                            \
    "  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid"                                     \
    "  AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid WHERE v.oid = reached.oid AND v.relkind = 'v'"  \
    " ) below (oid))"

constexpr const char *relations_query =
    REACHED " SELECT c.oid, c.relowner FROM pg_class c JOIN reached USING (oid) ORDER BY 1";

// Views and foreign tables; the functions of policies, rules, checks, defaults, indexes, statistics and partition keys;
// operator classes; and types, to which their owners may add casts at any time, and casts of the rows. Functions and
// types of PostgreSQL itself are not in pg_depend.
constexpr const char *code_query = REACHED 
    ", relation AS (SELECT c.oid, c.relkind, c.relowner, c.reltype FROM pg_class c JOIN reached USING (oid)),"
    " object AS (SELECT r.oid AS relation, r.relowner, o.class, o.oid FROM relation r CROSS JOIN LATERAL ("
    "  SELECT 'pg_class'::regclass, r.oid"
    "  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = r.oid"
    "  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = r.oid"
    "  UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef WHERE adrelid = r.oid"
    "  UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid = r.oid"
    "  UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class = r.oid"
    "  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid = r.oid"
    "  UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE $2 AND tgrelid = r.oid AND NOT tgisinternal"
    "  ) o (class, oid)),"
    " reference AS (SELECT o.relation, o.relowner, d.refclassid AS class, d.refobjid AS oid FROM object o"
    "  JOIN pg_depend d ON d.classid = o.class AND d.objid = o.oid"
    "  UNION SELECT r.oid, r.relowner, 'pg_proc'::regclass, k.castfunc FROM relation r"
    "  JOIN pg_cast k ON k.castsource = r.reltype),"
    " type (relation, relowner, oid) AS (SELECT relation, relowner, oid FROM reference WHERE class = 'pg_type'::regclass"
    "  UNION SELECT t.relation, t.relowner, below.oid FROM type t CROSS JOIN LATERAL ("
    "   SELECT unnest(ARRAY[typelem, typbasetype]) FROM pg_type WHERE oid = t.oid"
    "   UNION ALL SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid"
    "   UNION ALL SELECT a.atttypid FROM pg_type y JOIN pg_attribute a ON a.attrelid = y.typrelid AND a.attnum > 0"
    "    WHERE y.oid = t.oid) below (oid) WHERE below.oid <> 0)"
    " SELECT oid::regclass::text, relowner, relowner FROM relation WHERE relkind NOT IN ('r', 'p', 'm')"
    " UNION SELECT format('%s with %s', n.relation::regclass, f.oid::regprocedure), f.proowner, n.relowner"
    "  FROM reference n LEFT JOIN pg_operator p ON n.class = 'pg_operator'::regclass AND p.oid = n.oid"
    "  JOIN pg_proc f ON f.oid = CASE n.class WHEN 'pg_proc'::regclass THEN n.oid ELSE p.oprcode END"
    " UNION SELECT format('%s with operator class %s', n.relation::regclass, c.opcname), c.opcowner, n.relowner"
    "  FROM reference n JOIN pg_opclass c ON n.class = 'pg_opclass'::regclass AND c.oid = n.oid"
    " UNION SELECT format('%s with type %s', t.relation::regclass, y.oid::regtype), y.typowner, t.relowner"
    "  FROM type t JOIN pg_type y USING (oid) ORDER BY 1";

Oid oid_at(uint64 row, int column) {
    bool is_null;
    return DatumGetObjectId(::SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null));
}

void run(const char *query, Datum relations, bool with_triggers, int count) {
    // Not the transaction's snapshot, which may be older than what the planner goes by.
    ::PushCopiedSnapshot(::GetCatalogSnapshot(DependRelationId));
    Oid types[] = {OIDARRAYOID, BOOLOID};
    Datum values[] = {relations, BoolGetDatum(with_triggers)};
    const int result = ::SPI_execute_plan(kept_plan(query, count, types), values, nullptr, true, 0);
    if (result != SPI_OK_SELECT)
        elog(ERROR, "looking for code of others failed: %s", ::SPI_result_code_string(result));
    ::PopActiveSnapshot();
}

} // namespace

foreign_code find_foreign_code(const Oid *relations, int count, Oid role, code_of which) {
    const MemoryContext caller = CurrentMemoryContext;
    foreign_code found{nullptr, InvalidOid};
    const int settings = ::NewGUCNestLevel();
    (void)::set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                              false);
    ::SPI_connect();
    auto *const oids = static_cast<Datum *>(::palloc(sizeof(Datum) * static_cast<std::size_t>(count)));
    for (int i = 0; i < count; i++)
        oids[i] = ObjectIdGetDatum(relations[i]);
    const Datum list = PointerGetDatum(::construct_array(oids, count, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
    run(relations_query, list, false, 1);
    bool others = false;
    for (uint64 row = 0; row < SPI_tuptable->numvals; row++)
        if (!::has_privs_of_role(oid_at(row, 2), role)) {
            others = true;
            ::LockRelationOid(oid_at(row, 1), RowExclusiveLock);
        }
    if (others) {
        run(code_query, list, which == code_of::reading_and_triggers, 2);
        for (uint64 row = 0; row < SPI_tuptable->numvals && !found.what; row++)
            if (!::has_privs_of_role(oid_at(row, 2), role) && !::has_privs_of_role(oid_at(row, 3), role)) {
                const char *const what = ::SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);
                found = {::MemoryContextStrdup(caller, what), oid_at(row, 2)};
            }
    }
    ::SPI_finish();
    ::AtEOXact_GUC(false, settings);
    return found;
}

} // namespace etl::pg
