// C++ regime.
#include "verify/look.hpp"

#include "plan/source.hpp"

namespace etl::verify {

namespace {

constexpr const char *count_all = "pg_catalog.count(*) AS total";
constexpr const char *digest_all = "pg_catalog.count(*) AS total, etl.digest(q.*) AS digest";

// For each column that the view gives: how many values there are, the least and the greatest, where the type has these.
// Of texts by their bytes, as either side may have a collation of its own.
pg::string summary_of_all(const place &where) {
    const pg::result types =
        pg::query("SELECT quote_ident(a.attname), b.typcollation <> 0, EXISTS (SELECT FROM pg_catalog.pg_proc f WHERE "
                  "f.proname = 'min'"
                  "  AND f.prokind = 'a' AND f.pronamespace = 'pg_catalog'::regnamespace"
                  "  AND f.proargtypes[0] = CASE b.oid WHEN 'varchar'::regtype THEN 'text'::regtype ELSE b.oid END)"
                  " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
                  " JOIN pg_catalog.pg_type b ON b.oid = COALESCE(NULLIF(t.typbasetype, 0), t.oid)"
                  " WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
                  {pg::oid(where.partition)});
    pg::string text;
    for (std::size_t row = 0; row < types.size(); row++) {
        const pg::string &column = types.text(row, 0);
        if (std::find(where.columns.quoted.begin(), where.columns.quoted.end(), column) == where.columns.quoted.end())
            continue;
        text += (text.empty() ? "" : ", ") + ("pg_catalog.count(q." + column) + ")";
        if (!types.boolean(row, 2))
            continue;
        const char *collation = types.boolean(row, 1) ? " COLLATE pg_catalog.\"C\"" : "";
        text += ", pg_catalog.min(q." + column + collation + "), pg_catalog.max(q." + column + collation + ")";
    }
    return pg::string(count_all) + ", ROW(" + text + ") AS figures";
}

pg::string fresh_sql(const place &where) {
    return plan::source_sql(where.source.view, where.partition, where.range);
}

// Both sides of one moment: the figures of each, and whether these are the same.
pg::result compare(const place &where, const pg::string &figures, const char *shown) {
    return pg::query(pg::format("WITH held AS (SELECT %s FROM (%s) q), fresh AS (SELECT %s FROM (%s) q) SELECT %s,"
                                " NOT ROW(held.*) IS DISTINCT FROM ROW(fresh.*) FROM held, fresh",
                                figures.c_str(), held_sql(where).c_str(), figures.c_str(), fresh_sql(where).c_str(),
                                shown));
}

} // namespace

pg::string held_sql(const place &where) {
    pg::string text = "SELECT " + sync::list(where.columns, "p.") + " FROM ONLY " +
                      pg::relation_name(where.partition, "partition") + " p WHERE true";
    if (where.range.from)
        text += pg::format(" AND p.lid >= " INT64_FORMAT, *where.range.from);
    // Rows without a lid, which no seed writes, are looked at with the first range.
    if (where.range.to)
        text += pg::format(where.range.from ? " AND p.lid < " INT64_FORMAT : " AND (p.lid < " INT64_FORMAT " OR p.lid IS NULL)",
                           *where.range.to);
    return text;
}

written digest_now(const place &where) {
    const pg::result rows =
        pg::query(pg::string("SELECT ") + digest_all + pg::string(" FROM (") + held_sql(where) + ") q");
    return {rows.int8(0, 0), rows.int8(0, 1)};
}

look look_at(const place &where, level how, const std::optional<written> &noted) {
    if (how == level::digest && noted) {
        const written now = digest_now(where);
        return {now.rows, now.digest, now.rows == noted->rows && now.digest == noted->digest, true};
    }
    if (how == level::count || how == level::summary) {
        const pg::string figures = how == level::count ? pg::string(count_all) : summary_of_all(where);
        const pg::result rows = compare(where, figures, "held.total");
        return {rows.int8(0, 0), std::nullopt, !noted || rows.int8(0, 0) == noted->rows, rows.boolean(0, 1)};
    }
    const pg::result rows = compare(where, digest_all, "held.total, held.digest");
    return {rows.int8(0, 0), rows.int8(0, 1),
            !noted || (rows.int8(0, 0) == noted->rows && rows.int8(0, 1) == noted->digest), rows.boolean(0, 2)};
}

} // namespace etl::verify
