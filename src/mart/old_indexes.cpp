// C++ regime: the indexes of a plain table.
#include "mart/old_indexes.hpp"

#include "mart/create.hpp"

namespace etl::mart {

namespace {

// The closing parenthesis that belongs to the first opening one at or after `from`, quotes skipped. PostgreSQL's own
// texts double the quotes inside, so a quote always toggles.
std::size_t closing(const pg::string &text, std::size_t from) {
    char quote = 0;
    int depth = 0;
    for (std::size_t i = from; i < text.size(); i++) {
        const char c = text[i];
        if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0) {
            return i;
        }
    }
    throw error("XX000", pg::view(pg::format("unexpected definition of an index: %s", text.c_str())));
}

} // namespace

pg::vector<old_index> read_indexes(Oid table) {
    // Storage options of an index that belongs to a constraint are no part of the constraint's definition.
    const pg::result rows = pg::query(
        "SELECT c.relname::text, CASE WHEN k.oid IS NULL THEN pg_get_indexdef(c.oid) ELSE"
        "  regexp_replace(pg_get_constraintdef(k.oid), '( DEFERRABLE)?( INITIALLY DEFERRED)?$', '')"
        "  || coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '')"
        "  || CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END"
        "  || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END END,"
        " i.indisunique AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = "
        "'portal'"
        "  AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])),"
        " (SELECT string_agg(pg_get_indexdef(c.oid, n, false), ', ' ORDER BY n) FROM"
        "  generate_series(1, i.indnkeyatts::int) n),"
        " coalesce(t.spcname::text, ''), obj_description(c.oid, 'pg_class'), k.conname::text,"
        " obj_description(k.oid, 'pg_constraint')"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace"
        " LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')"
        " WHERE i.indrelid = $1 ORDER BY i.indisprimary DESC, i.indisunique DESC, c.relname COLLATE \"C\"",
        {pg::oid(table)});
    pg::vector<old_index> found;
    for (std::size_t row = 0; row < rows.size(); row++)
        found.push_back({rows.text(row, 0), rows.text(row, 1), rows.boolean(row, 2), rows.text(row, 3),
                         rows.text(row, 4), rows.optional_text(row, 5), rows.optional_text(row, 6),
                         rows.optional_text(row, 7)});
    return found;
}

void create_index(const old_index &like, const table &on) {
    pg::string definition = like.definition;
    if (like.needs_portal) {
        // "CREATE UNIQUE INDEX name ON table USING btree (...)": a name may hold parentheses too, but within quotes.
        definition.insert(closing(definition, 0), ", portal");
        notice_portal_appended(pg::view(like.name), pg::view(like.key));
    }
    if (like.constraint)
        definition = "ALTER TABLE " + on.quoted() + " ADD CONSTRAINT " +
                     pg::quote_identifier(pg::view(*like.constraint)) + " " + definition;
    pinned_settings settings;
    settings.set("default_tablespace", like.tablespace.c_str());
    pg::execute(definition);
    if (like.comment)
        pg::execute("COMMENT ON INDEX " + qualified(pg::view(on.schema), pg::view(like.name)) + " IS " +
                    pg::quote_literal(pg::view(*like.comment)));
    if (like.constraint_comment)
        pg::execute("COMMENT ON CONSTRAINT " + pg::quote_identifier(pg::view(*like.constraint)) + " ON " + on.quoted() +
                    " IS " + pg::quote_literal(pg::view(*like.constraint_comment)));
}

} // namespace etl::mart
