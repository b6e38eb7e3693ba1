// C++ regime.
#include "verify/narrow.hpp"

#include "catalog/terminal.hpp"
#include "plan/source.hpp"
#include "sync/find.hpp"

#include <iterator>

namespace etl::verify {

namespace {

// Rows of both sides: `held` of the partition, `fresh` of the view; only those of the lids of $1, where these are
// given.
pg::string both_sides(const place &where, bool of_lids) {
    return "WITH held AS MATERIALIZED (" + held_sql(where) + (of_lids ? " AND p.lid = ANY ($1)" : "") +
           "), fresh AS MATERIALIZED (" + plan::source_sql(where.source.view, where.partition, where.range, of_lids) +
           ")";
}

// A line a column: its name, both values as text, and whether the bytes differ.
pg::string columns_side_by_side(const sync::columns &of) {
    pg::string text;
    for (const pg::string &column : of.quoted) {
        const pg::string held = "h." + column, fresh = "f." + column;
        text += (text.empty() ? "(" : ", (") +
                pg::format(INT64_FORMAT, static_cast<std::int64_t>(&column - of.quoted.data())) + ", " +
                pg::quote_literal(pg::view(column)) + ", " + held + "::pg_catalog.text, " + fresh +
                "::pg_catalog.text, ROW(" + held + ")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(" + fresh +
                ")::pg_catalog.record)";
    }
    return text;
}

finding read_finding(const pg::result &rows, std::size_t row) {
    return {rows.int8(row, 0), rows.optional_text(row, 1), rows.optional_text(row, 2), rows.optional_text(row, 3)};
}

pg::vector<finding> read_findings(const pg::result &rows) {
    pg::vector<finding> found;
    for (std::size_t row = 0; row < rows.size() && row < most_findings; row++)
        found.push_back(read_finding(rows, row));
    return found;
}

void say_left_out(pg::vector<finding> &found) {
    found.push_back({std::nullopt, std::nullopt,
                     pg::format("more differences than the first %d of the range, which are listed",
                                static_cast<int>(most_findings)),
                     std::nullopt});
}

} // namespace

pg::vector<std::int64_t> differing_lids(const place &where) {
    const pg::result rows = pg::query(
        both_sides(where, false) +
        ", h AS (SELECT held.lid, pg_catalog.count(*) AS n, etl.digest(held.*) AS d FROM held GROUP BY held.lid)"
        ", f AS (SELECT fresh.lid, pg_catalog.count(*) AS n, etl.digest(fresh.*) AS d FROM fresh GROUP BY fresh.lid)"
        " SELECT COALESCE(h.lid, f.lid) FROM h FULL JOIN f ON f.lid = h.lid WHERE (h.n, h.d) IS DISTINCT FROM (f.n, "
        "f.d)"
        " AND COALESCE(h.lid, f.lid) IS NOT NULL ORDER BY 1");
    pg::vector<std::int64_t> lids;
    for (std::size_t row = 0; row < rows.size(); row++)
        lids.push_back(rows.int8(row, 0));
    return lids;
}

pg::vector<std::int64_t> without_changed(const place &where, const pg::vector<std::int64_t> &lids) {
    pg::vector<std::int64_t> left;
    if (lids.empty())
        return left;
    const pg::vector<std::int64_t> changed = sync::changed_of(
        where.make, where.source, sync::standing_of(where.make, where.partition, where.source.portal), lids);
    std::set_difference(lids.begin(), lids.end(), changed.begin(), changed.end(), std::back_inserter(left));
    return left;
}

pg::vector<std::int64_t> without_terminal(const place &where, const pg::vector<std::int64_t> &lids) {
    const std::optional<pg::string> terminal = catalog::is_terminal(where.make, pg::view(where.source.portal), "q.lid");
    if (lids.empty() || !terminal)
        return lids;
    return pg::query(
               "SELECT COALESCE(pg_catalog.array_agg(q.lid ORDER BY q.lid), '{}') FROM pg_catalog.unnest($1) q(lid)"
               " WHERE NOT " +
                   *terminal,
               {pg::int8_array(lids)})
        .optional_int8_array(0, 0)
        .value();
}

pg::vector<finding> describe(const place &where, const pg::vector<std::int64_t> &lids) {
    const pg::vector<std::int64_t> first(
        lids.begin(), lids.begin() + static_cast<std::ptrdiff_t>(std::min(lids.size(), most_findings)));
    const pg::result rows = pg::query(
        both_sides(where, true) +
            ", h AS (SELECT held.lid, pg_catalog.count(*) AS n, pg_catalog.min((held.*)::pg_catalog.text) AS line FROM "
            "held"
            "  GROUP BY held.lid)"
            ", f AS (SELECT fresh.lid, pg_catalog.count(*) AS n, pg_catalog.min((fresh.*)::pg_catalog.text) AS line "
            "FROM fresh"
            "  GROUP BY fresh.lid)"
            ", k AS (SELECT COALESCE(h.lid, f.lid) AS lid, COALESCE(h.n, 0) AS held, COALESCE(f.n, 0) AS fresh,"
            "  h.n > 1 OR f.n > 1 AS several, h.line AS held_line, f.line AS fresh_line FROM h FULL JOIN f ON f.lid = "
            "h.lid)"
            " SELECT d.lid, d.name, d.mart, d.source FROM (SELECT k.lid, 0 AS place, NULL::pg_catalog.text AS name,"
            " CASE WHEN k.several THEN pg_catalog.concat(k.held, CASE k.held WHEN 1 THEN ' row' ELSE ' rows' END)"
            "  ELSE k.held_line END AS mart,"
            " CASE WHEN k.several THEN pg_catalog.concat(k.fresh, CASE k.fresh WHEN 1 THEN ' row' ELSE ' rows' END)"
            "  ELSE k.fresh_line END AS source"
            " FROM k WHERE k.held <> 1 OR k.fresh <> 1"
            " UNION ALL SELECT h.lid, v.place, v.name, v.mart, v.source FROM k JOIN held h ON h.lid = k.lid"
            " JOIN fresh f ON f.lid = k.lid CROSS JOIN LATERAL (VALUES " +
            columns_side_by_side(where.columns) +
            ") v(place, name, mart, source, differs) WHERE k.held = 1 AND k.fresh = 1 AND v.differs) d"
            " ORDER BY d.lid, d.place LIMIT $2",
        {pg::int8_array(first), pg::int8(static_cast<std::int64_t>(most_findings) + 1)});
    pg::vector<finding> found = read_findings(rows);
    if (lids.size() > first.size() || rows.size() > most_findings)
        say_left_out(found);
    return found;
}

pg::vector<finding> lids_of_other_portals(const place &where) {
    const pg::result rows = pg::query(
        pg::format(
            "SELECT q.lid, 'portal', pg_catalog.concat_ws(', ', $1,"
            "  pg_catalog.string_agg(DISTINCT m.portal::pg_catalog.text, ', ')), NULL FROM (SELECT DISTINCT s.lid FROM "
            "(%s) s) q JOIN %s m ON m.lid = q.lid"
            " WHERE m.portal::pg_catalog.text > $1 COLLATE pg_catalog.\"C\" GROUP BY q.lid ORDER BY q.lid LIMIT $2",
            held_sql(where).c_str(), pg::relation_name(where.make.mart, "mart").c_str()),
        {pg::text(where.source.portal), pg::int8(static_cast<std::int64_t>(most_findings) + 1)});
    pg::vector<finding> found = read_findings(rows);
    if (rows.size() > most_findings)
        say_left_out(found);
    return found;
}

} // namespace etl::verify
