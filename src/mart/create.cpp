// C++ regime: making a mart where there is none.
#include "mart/create.hpp"

#include "pg/message.hpp"

namespace etl::mart {

namespace {

struct column {
    pg::string name;
    pg::string definition; // type with its modifiers, and collation
};

pg::vector<column> columns_of(Oid view) {
    const pg::result rows = pg::query(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attcollation <> t.typcollation "
        "THEN"
        " format(' COLLATE %I.%I', n.nspname, l.collname) ELSE '' END"
        " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation"
        " LEFT JOIN pg_namespace n ON n.oid = l.collnamespace"
        " WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        {pg::oid(view)});
    pg::vector<column> columns;
    for (std::size_t row = 0; row < rows.size(); row++)
        columns.push_back({rows.text(row, 0), rows.text(row, 1)});
    return columns;
}

bool has(const pg::vector<column> &columns, const char *name) {
    return std::any_of(columns.begin(), columns.end(), [=](const column &c) { return c.name == name; });
}

void create_index(const qualified_name &mart, const char *suffix, const char *columns, bool unique) {
    const pg::string index = pg::derived_name(pg::view(mart.name), suffix);
    pg::execute(pg::format("CREATE %sINDEX %s ON %s (%s)", unique ? "UNIQUE " : "",
                           pg::quote_identifier(pg::view(index)).c_str(),
                           qualified(pg::view(mart.schema), pg::view(mart.name)).c_str(), columns));
}

} // namespace

void notice_portal_appended(std::string_view index, std::string_view columns) {
    pg::notice(
        pg::view(pg::format("unique index \"%.*s\" has got column \"portal\" appended, since PostgreSQL demands the"
                            " partition key in it",
                            static_cast<int>(index.size()), index.data())),
        pg::view(pg::format("Write ON CONFLICT (%.*s, portal) instead of ON CONFLICT (%.*s).",
                            static_cast<int>(columns.size()), columns.data(), static_cast<int>(columns.size()),
                            columns.data())));
}

Oid create_mart(const qualified_name &name, Oid view) {
    const pg::vector<column> columns = columns_of(view);
    for (const char *needed : {"lid", "portal"})
        if (!has(columns, needed))
            throw error("42703",
                        pg::view(pg::format("view %s has no column \"%s\"",
                                            pg::relation_name(view, "source view").c_str(), needed)),
                        "A mart is keyed by lid and partitioned by portal.");

    const pg::string mart = qualified(pg::view(name.schema), pg::view(name.name));
    pg::string statement = "CREATE TABLE " + mart + " (";
    for (const column &each : columns) {
        if (&each != &columns.front())
            statement += ", ";
        statement += pg::quote_identifier(pg::view(each.name)) + " " + each.definition;
    }
    pg::execute(statement + ") PARTITION BY LIST (portal)");
    pg::execute("COMMENT ON TABLE " + mart + " IS " + pg::quote_literal(mart_comment));

    const char *const unique_suffix = has(columns, "make") ? "_lid_make" : "_lid";
    create_index(name, unique_suffix, has(columns, "make") ? "lid, make, portal" : "lid, portal", true);
    notice_portal_appended(pg::view(pg::derived_name(pg::view(name.name), unique_suffix)),
                           has(columns, "make") ? "lid, make" : "lid");
    for (const char *indexed : {"model", "modified", "acc_id"})
        if (has(columns, indexed))
            create_index(name, pg::format("_%s", indexed).c_str(), indexed, false);
    return find_relation(pg::view(name.schema), pg::view(name.name));
}

} // namespace etl::mart
