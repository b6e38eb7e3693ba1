// C++ regime: relations that users name.
#include "catalog/relation.hpp"

#include "pg/identity.hpp"

extern "C" {
#include "access/transam.h"
}

namespace etl::catalog {

namespace {

constexpr const char *allowed = "It must be a table, partitioned table, foreign table, view or materialized view"
                                " that every session sees.";

void check_kind(const char *what, Oid relation, const pg::string &name) {
    const pg::result rows = pg::query("SELECT c.relkind, c.relpersistence, n.nspname FROM pg_catalog.pg_class c"
                                      " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                                      " WHERE c.oid OPERATOR(pg_catalog.=) $1",
                                      {pg::oid(relation)});
    const char kind = rows.text(0, 0)[0];
    auto refuse = [&](const char *why) {
        throw error("42809", pg::view(pg::format("%s cannot be the %s relation", name.c_str(), what)), why, allowed);
    };
    if (kind != 'r' && kind != 'p' && kind != 'f' && kind != 'v' && kind != 'm')
        refuse("It is a sequence, an index, a composite type or a TOAST table.");
    if (rows.text(0, 1) == "t")
        refuse("It is temporary: workers are other sessions and could not see it.");
    if (relation < FirstNormalObjectId || rows.text(0, 2) == "information_schema")
        refuse("It belongs to the system.");
    if (rows.text(0, 2) == "etl")
        refuse("It belongs to pg_etl.");
}

void check_column(const char *what, Oid relation, const pg::string &name, const column_need &need) {
    // The base type counts: a domain's values are its base type's.
    const pg::result rows = pg::query(
        "WITH RECURSIVE base (type) AS (SELECT a.atttypid FROM pg_catalog.pg_attribute a"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) $1 AND a.attname OPERATOR(pg_catalog.=) $2::pg_catalog.name"
        " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"
        " UNION ALL SELECT t.typbasetype FROM base JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) base.type"
        " WHERE t.typtype OPERATOR(pg_catalog.=) 'd')"
        " SELECT type::pg_catalog.oid, pg_catalog.format_type(type, NULL) FROM base",
        {pg::oid(relation), pg::text(need.name)});
    if (rows.empty())
        throw error("42703", pg::view(pg::format("%s relation %s has no column \"%s\"", what, name.c_str(), need.name)),
                    pg::view(pg::format("It needs that column%s%s.", need.types.size() ? ", of type " : "",
                                        need.types_in_words)),
                    "Name another relation, or a view that gives the column.");
    if (need.types.size() == 0)
        return;
    const Oid type = rows.oid(rows.size() - 1, 0);
    if (std::find(need.types.begin(), need.types.end(), type) == need.types.end())
        throw error("42804",
                    pg::view(pg::format("column \"%s\" of %s relation %s is of type %s", need.name, what, name.c_str(),
                                        rows.text(0, 1).c_str())),
                    pg::view(pg::format("It must be of type %s.", need.types_in_words)),
                    "Change the column, or name a view that casts it.");
}

} // namespace

void check_source(const char *what, Oid relation, std::initializer_list<column_need> columns) {
    if (!relation_exists(relation))
        throw error("42P01", pg::view(pg::format("%s relation does not exist", what)),
                    pg::view(pg::format("There is no relation with OID %u.", relation)), allowed);
    const pg::string name = pg::relation_name(relation, what);
    check_kind(what, relation, name);
    for (const column_need &need : columns)
        check_column(what, relation, name, need);
}

void probe_source(Oid owner, const char *what, Oid relation, std::initializer_list<column_need> columns) {
    const pg::string name = pg::relation_name(relation, what);
    pg::string list;
    for (const column_need &need : columns)
        list.append(list.empty() ? "" : ", ").append(pg::quote_identifier(need.name));
    pg::owner_scope as_owner(owner);
    execute_with_hints(pg::format("SELECT %s FROM %s WHERE false", list.c_str(), name.c_str()));
}

void execute_with_hints(const pg::string &statement) {
    try {
        pg::execute(statement);
    } catch (pg::error &failure) {
        ErrorData *data = failure.data();
        if (data->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && !data->hint) {
            const bool rows = data->message && strstr(data->message, "row-level security");
            data->hint = const_cast<char *>(
                rows
                    ? "Row security would hide rows from the mart: use an owner with BYPASSRLS, or a source without it."
                    : "The role that adds a make or a portal needs USAGE on the schemas and SELECT on the relations "
                      "that"
                      " it reads, price states included, and CREATE where tables are made for it.");
        }
        throw;
    }
}

Oid find_relation(std::string_view name) {
    const pg::result rows = pg::query("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", {pg::text(name)});
    return rows.is_null(0, 0) ? InvalidOid : rows.oid(0, 0);
}

bool relation_exists(Oid relation) {
    return !pg::query("SELECT 1 FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) $1", {pg::oid(relation)})
                .empty();
}

void require_login(Oid owner) {
    if (pg::query("SELECT FROM pg_catalog.pg_roles WHERE oid OPERATOR(pg_catalog.=) $1", {pg::oid(owner)}).empty())
        throw error("42704", pg::view(pg::format("role with OID %u does not exist", owner)),
                    "It added the make or portal, and workers would log in as that role.",
                    "Drop the make or portal and add it anew.");
    if (pg::can_work_as(owner))
        return;
    const pg::string role = pg::role_name(owner);
    throw error("42501", pg::view(pg::format("role \"%s\" is not permitted to log in", role.c_str())),
                "Workers log in as the role that adds a make or a portal, and before PostgreSQL 17 that needs LOGIN.",
                pg::view(pg::format("ALTER ROLE %s LOGIN", pg::quote_identifier(pg::view(role)).c_str())));
}

} // namespace etl::catalog
