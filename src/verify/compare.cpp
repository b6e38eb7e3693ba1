// C++ regime.
#include "verify/compare.hpp"

namespace etl::verify {

namespace {

struct column {
    pg::string name;
    bool same_type; // on both sides
};

void require_rows(Oid relation, const pg::string &name) {
    if (pg::query("SELECT FROM pg_catalog.pg_class WHERE oid = $1 AND relkind IN ('r', 'p', 'v', 'm', 'f')", {pg::oid(relation)})
            .empty())
        throw error("42809", pg::view(name + " is not a table, view, materialized view or foreign table"));
}

// What the source views of the make give, in the mart's order.
pg::vector<column> compared_columns(const catalog::make &make, Oid relation, const pg::string &other_name) {
    const Oid view = catalog::sources_of(make).front().view;
    const pg::result rows = pg::query(
        "WITH mart AS (SELECT attname, attnum, atttypid FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0"
        "  AND NOT attisdropped), other AS (SELECT attname, atttypid FROM pg_catalog.pg_attribute WHERE attrelid = $2"
        "  AND attnum > 0 AND NOT attisdropped), given AS (SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = $3"
        "  AND attnum > 0 AND NOT attisdropped)"
        " SELECT COALESCE(m.attname, o.attname)::text, COALESCE(m.atttypid = o.atttypid, false),"
        " m.attname IS NULL, o.attname IS NULL FROM mart m FULL JOIN other o USING (attname)"
        " WHERE m.attname IS NULL OR m.attname IN (SELECT attname FROM given) ORDER BY m.attnum, 1",
        {pg::oid(make.mart), pg::oid(relation), pg::oid(view)});
    pg::vector<column> columns;
    pg::string only_mart, only_other;
    for (std::size_t row = 0; row < rows.size(); row++) {
        const pg::string &name = rows.text(row, 0);
        if (rows.boolean(row, 2))
            only_other.append(only_other.empty() ? "\"" : ", \"").append(name).append("\"");
        else if (rows.boolean(row, 3))
            only_mart.append(only_mart.empty() ? "\"" : ", \"").append(name).append("\"");
        else
            columns.push_back({name, rows.boolean(row, 1)});
    }
    if (!only_mart.empty() || !only_other.empty()) {
        pg::string detail;
        if (!only_mart.empty())
            detail.append("The mart alone has: ").append(only_mart).append(".");
        if (!only_other.empty())
            detail.append(detail.empty() ? "" : " ").append(other_name).append(" alone has: ").append(only_other).append(".");
        throw error("42703", pg::view(pg::format("%s does not have the columns of the mart of make \"%s\"", other_name.c_str(),
                                                 make.name.c_str())),
                    pg::view(detail), "Compare with a view that has them under the same names.");
    }
    return columns;
}

// Rows with their lid as k, their number n among those of that lid, and their columns as c1, c2, …
pg::string side(const pg::vector<column> &columns, const pg::string &relation) {
    pg::string text = "SELECT t.lid::pg_catalog.int8 AS k, pg_catalog.row_number() OVER (PARTITION BY t.lid::pg_catalog.int8) AS n";
    for (std::size_t i = 0; i < columns.size(); i++)
        text += pg::format(", t.%s AS c%zu", pg::quote_identifier(pg::view(columns[i].name)).c_str(), i + 1);
    return text + " FROM " + relation + " t";
}

// As a list of all columns, as text or, where both sides have the same type, as they are.
pg::string values(const pg::vector<column> &columns, char alias, bool as_text) {
    pg::string text;
    for (std::size_t i = 0; i < columns.size(); i++)
        text += pg::format("%s%c.c%zu%s", i == 0 ? "" : ", ", alias, i + 1,
                           as_text || !columns[i].same_type ? "::pg_catalog.text" : "");
    return text;
}

pg::string names(const pg::vector<column> &columns) {
    pg::string text;
    for (const column &each : columns)
        text.append(text.empty() ? "" : ", ").append(pg::quote_literal(pg::view(each.name)));
    return "ARRAY[" + text + "]::pg_catalog.text[]";
}

} // namespace

// Rows of the same lid and number that are equal to the byte are left out at once: they are nearly all. Texts are made of the
// rest only (`odd`), whose rows are then paired, equal ones first (`left_over`), others as they come in order.
pg::string difference_query(const catalog::make &make, Oid relation) {
    const pg::string mart_name = pg::relation_name(make.mart, "mart");
    const pg::string other_name = pg::relation_name(relation);
    require_rows(relation, other_name);
    const pg::vector<column> columns = compared_columns(make, relation, other_name);
    pg::string text = "WITH odd AS MATERIALIZED (SELECT a.k AS ak, b.k AS bk,"
                      " CASE WHEN a.n IS NOT NULL THEN ARRAY[" + values(columns, 'a', true) + "] COLLATE \"C\" END AS av,"
                      " CASE WHEN b.n IS NOT NULL THEN ARRAY[" + values(columns, 'b', true) + "] COLLATE \"C\" END AS bv"
                      " FROM (" + side(columns, mart_name) + ") a FULL JOIN (" + side(columns, other_name) + ") b"
                      " ON a.k OPERATOR(pg_catalog.=) b.k AND a.n OPERATOR(pg_catalog.=) b.n"
                      " WHERE a.n IS NULL OR b.n IS NULL OR ROW(" + values(columns, 'a', false) + ")::pg_catalog.record"
                      " OPERATOR(pg_catalog.*<>) ROW(" + values(columns, 'b', false) + ")::pg_catalog.record),";
    for (const char *s : {"a", "b"})
        text += pg::format(" all_%s AS (SELECT %sk AS k, %sv AS v, pg_catalog.row_number() OVER (PARTITION BY %sk, %sv) AS n"
                           " FROM odd WHERE %sv IS NOT NULL),",
                           s, s, s, s, s, s);
    text += " left_over AS MATERIALIZED (SELECT a.k AS ak, b.k AS bk, a.v AS av, b.v AS bv FROM all_a a FULL JOIN all_b b"
            " ON a.v OPERATOR(pg_catalog.=) b.v AND a.n OPERATOR(pg_catalog.=) b.n WHERE a.v IS NULL OR b.v IS NULL),";
    for (const char *s : {"a", "b"})
        text += pg::format(" left_%s AS (SELECT %sk AS k, %sv AS v, pg_catalog.row_number() OVER (PARTITION BY %sk ORDER BY %sv) AS n"
                           " FROM left_over WHERE %sv IS NOT NULL),",
                           s, s, s, s, s, s);
    text += " pair AS (SELECT COALESCE(a.k, b.k) AS k, COALESCE(a.n, b.n) AS n, a.v AS av, b.v AS bv FROM left_a a"
            " FULL JOIN left_b b ON a.k OPERATOR(pg_catalog.=) b.k AND a.n OPERATOR(pg_catalog.=) b.n)";
    text += " SELECT p.k, d.name, d.a, d.b FROM pair p CROSS JOIN LATERAL ("
            "SELECT 0 AS i, 'lid'::pg_catalog.text AS name, CASE WHEN p.av IS NOT NULL THEN p.k END::pg_catalog.text AS a,"
            " CASE WHEN p.bv IS NOT NULL THEN p.k END::pg_catalog.text AS b WHERE p.av IS NULL OR p.bv IS NULL"
            " UNION ALL SELECT u.i, u.name, p.av[u.i], p.bv[u.i] FROM pg_catalog.unnest(" + names(columns) + ")"
            " WITH ORDINALITY u (name, i) WHERE p.av IS NOT NULL AND p.bv IS NOT NULL"
            " AND ROW(p.av[u.i])::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(p.bv[u.i])::pg_catalog.record) d"
            " ORDER BY p.k, p.n, d.i";
    return text;
}

} // namespace etl::verify
