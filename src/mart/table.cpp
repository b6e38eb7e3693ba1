// C++ regime: reading relations.
#include "mart/table.hpp"

namespace etl::mart {

pinned_settings::pinned_settings() {
    scope_.set("search_path", "pg_catalog, pg_temp");
    scope_.set("row_security", "off");
    // Literals in PostgreSQL's own texts then double their quotes and have no other escapes.
    scope_.set("standard_conforming_strings", "on");
    scope_.set("quote_all_identifiers", "off");
    // Roles and databases may have defaults of their own; a mart's tables lie where the mart says.
    scope_.set("default_tablespace", "");
}

pg::string qualified(std::string_view schema, std::string_view name) {
    return pg::quote_identifier(schema) + "." + pg::quote_identifier(name);
}

pg::string table::quoted() const {
    return qualified(pg::view(schema), pg::view(name));
}

std::optional<table> find_table(Oid relation) {
    const pg::result rows =
        pg::query("SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text,"
                  " c.relispartition, c.relowner::oid, coalesce(t.spcname::text, ''),"
                  " obj_description(c.oid, 'pg_class')"
                  " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                  " LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid = $1",
                  {pg::oid(relation)});
    if (rows.empty())
        return std::nullopt;
    return table{relation,           rows.text(0, 0), rows.text(0, 1), rows.text(0, 2).front(), rows.text(0, 3).front(),
                 rows.boolean(0, 4), rows.oid(0, 5),  rows.text(0, 6), rows.optional_text(0, 7)};
}

table read_table(Oid relation, const char *what) {
    std::optional<table> found = find_table(relation);
    if (!found)
        throw error("42P01", pg::view(pg::format("%s with OID %u does not exist", what, relation)),
                    "It was dropped meanwhile.");
    return *std::move(found);
}

Oid find_relation(std::string_view schema, std::string_view name) {
    const pg::result rows = pg::query("SELECT c.oid::oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                                      " WHERE n.nspname = $1::name AND c.relname = $2::name",
                                      {pg::text(schema), pg::text(name)});
    return rows.empty() ? InvalidOid : rows.oid(0, 0);
}

pg::string free_name(std::string_view schema, std::string_view base, std::string_view suffix) {
    pg::string name = pg::derived_name(base, suffix);
    for (int number = 1; find_relation(schema, pg::view(name)) != InvalidOid; number++) {
        const pg::string numbered = pg::format("%.*s_%d", static_cast<int>(suffix.size()), suffix.data(), number);
        name = pg::derived_name(base, pg::view(numbered));
    }
    return name;
}

void require_owner(const table &of) {
    if (!pg::may_act_as(of.owner))
        throw error("42501", pg::view(pg::format("must be owner of table %s", of.quoted().c_str())),
                    pg::view(pg::format("It belongs to role \"%s\".", pg::role_name(of.owner).c_str())),
                    "Let a member of that role add the make, or change the table's owner.");
}

void comment_on(const table &on, std::string_view comment) {
    pg::execute("COMMENT ON TABLE " + on.quoted() + " IS " + pg::quote_literal(comment));
}

} // namespace etl::mart
