// PG regime: the relations that workers read with one. As an SQL function it would be planned anew by each query.
#include "pg/function.hpp"
#include "pg/kept_plan.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/datum.h"
}

namespace etl::run {

namespace {

constexpr const char *reached =
    "WITH RECURSIVE reached (oid) AS (SELECT $1 WHERE $1 IS NOT NULL UNION SELECT below.oid FROM reached"
    " CROSS JOIN LATERAL (SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    "  WHERE i.inhparent = reached.oid AND NOT i.inhdetachpending AND c.relpersistence <> 't'"
    "  UNION ALL SELECT d.refobjid FROM pg_class v JOIN pg_rewrite w ON w.ev_class = v.oid"
    "  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid"
    "   AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid"
    "  WHERE v.oid = reached.oid AND v.relkind = 'v') below (oid))"
    " SELECT COALESCE(array_agg(reached.oid), '{}') FROM reached";

} // namespace

} // namespace etl::run

ETL_FUNCTION(etl_relations_under) {
    const MemoryContext caller = CurrentMemoryContext;
    Oid types[] = {OIDOID};
    Datum values[] = {fcinfo->args[0].value};
    const char nulls[] = {fcinfo->args[0].isnull ? 'n' : ' '};
    ::SPI_connect();
    const int code = ::SPI_execute_plan(etl::pg::kept_plan(etl::run::reached, 1, types), values, nulls, true, 0);
    if (code != SPI_OK_SELECT || SPI_processed != 1)
        elog(ERROR, "could not look for relations: %s", ::SPI_result_code_string(code));
    bool is_null = false;
    const Datum found = ::SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    const MemoryContext before = ::MemoryContextSwitchTo(caller);
    const Datum copy = ::datumCopy(found, false, -1);
    ::MemoryContextSwitchTo(before);
    ::SPI_finish();
    return copy;
}
