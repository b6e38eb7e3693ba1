// C++ regime: reading and deriving names.
#include "mart/name.hpp"

#include "pg/transaction.hpp"

namespace etl::mart {

namespace {

constexpr const char *staging_mark = "Staging table of pg_etl:";

pg::vector<pg::string> split(std::string_view text) {
    pg::vector<pg::string> parts;
    const std::optional<pg::error_report> failure = pg::in_subtransaction([&] {
        const pg::result rows = pg::query("SELECT part FROM pg_catalog.unnest(pg_catalog.parse_ident($1))"
                                          " WITH ORDINALITY AS parts(part, number) ORDER BY number",
                                          {pg::text(text)});
        for (std::size_t row = 0; row < rows.size(); row++)
            parts.push_back(rows.text(row, 0));
    });
    if (failure)
        throw error("42602", pg::view(pg::format("invalid mart name: %s", pg::quote_literal(text).c_str())),
                    pg::view(failure->message),
                    "Write schema.table, with double quotes around a part that is not all lower case.");
    return parts;
}

// The schema of what the search_path finds by that name, else the one in which it lets tables be made.
pg::string default_schema(std::string_view name) {
    const pg::result rows =
        pg::query("SELECT coalesce((SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                  " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE c.oid OPERATOR(pg_catalog.=)"
                  " pg_catalog.to_regclass(pg_catalog.quote_ident($1))), pg_catalog.current_schema())::pg_catalog.text",
                  {pg::text(name)});
    if (rows.is_null(0, 0))
        throw error("3F000", "no schema has been selected for the mart", {}, "Write schema.table.");
    return rows.text(0, 0);
}

} // namespace

qualified_name parse_name(std::string_view text) {
    pg::vector<pg::string> parts = split(text);
    if (parts.size() > 2)
        throw error(
            "42601",
            pg::view(pg::format("improper mart name (too many dotted names): %s", pg::quote_literal(text).c_str())), {},
            "Write schema.table.");
    for (const pg::string &part : parts)
        if (part.size() >= NAMEDATALEN)
            throw error("42622", pg::view(pg::format("name is too long: \"%s\"", part.c_str())),
                        pg::view(pg::format("It has %d bytes, of at most %d.", static_cast<int>(part.size()),
                                            NAMEDATALEN - 1)));
    qualified_name name{parts.size() == 2 ? parts[0] : default_schema(pg::view(parts[0])), parts.back()};
    if (pg::query("SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name",
                  {pg::text(pg::view(name.schema))})
            .empty())
        throw error("3F000", pg::view(pg::format("schema \"%s\" does not exist", name.schema.c_str())), {},
                    pg::view("Create it with CREATE SCHEMA " + pg::quote_identifier(pg::view(name.schema)) + "."));
    return name;
}

pg::string partition_name(const table &mart, std::string_view portal) {
    return pg::derived_name(pg::view(mart.name), pg::format("_%.*s", static_cast<int>(portal.size()), portal.data()));
}

pg::string staging_name(const table &mart, std::string_view portal, std::int64_t run) {
    const pg::string suffix =
        pg::format("_%.*s_r%lld", static_cast<int>(portal.size()), portal.data(), static_cast<long long>(run));
    return pg::derived_name(pg::view(mart.name), pg::view(suffix));
}

pg::string old_name(std::string_view partition) {
    return pg::derived_name(partition, "_old");
}

pg::string staging_comment(const table &mart, std::string_view portal, std::int64_t run) {
    return pg::format("%s portal %s of mart %s, run %lld", staging_mark, pg::quote_literal(portal).c_str(),
                      mart.quoted().c_str(), static_cast<long long>(run));
}

bool is_staging_comment(std::string_view comment) {
    return comment.substr(0, std::string_view(staging_mark).size()) == staging_mark;
}

pg::string index_suffix(const table &mart, std::string_view index) {
    const std::string_view prefix = pg::view(mart.name);
    if (index.size() > prefix.size() + 1 && index.substr(0, prefix.size()) == prefix && index[prefix.size()] == '_')
        index.remove_prefix(prefix.size() + 1);
    return pg::format("_%.*s", static_cast<int>(index.size()), index.data());
}

} // namespace etl::mart
