// C++ regime: one statement a chunk.
#include "sync/apply.hpp"

#include "pg/identity.hpp"
#include "plan/source.hpp"
#include "sync/columns.hpp"
#include "sync/digests.hpp"
#include "sync/rate_sets.hpp"

namespace etl::sync {

namespace {

// <alias>.lid in the range and, where they are given, among the lids of $1.
pg::string condition_on(const char *alias, const selection &rows) {
    pg::string text = pg::format("%s.lid IS NOT NULL", alias);
    if (rows.range.from)
        text += pg::format(" AND %s.lid >= " INT64_FORMAT, alias, *rows.range.from);
    if (rows.range.to)
        text += pg::format(" AND %s.lid < " INT64_FORMAT, alias, *rows.range.to);
    if (rows.lids)
        text += pg::format(" AND %s.lid = ANY ($1)", alias);
    return text;
}

// `held` and `fresh` are the rows as they are and as they should be, `todo` the lids of which they differ: these `go`,
// `come`, or, where there is one on each side, change. Counts and digests come out by the ranges that begin at the lids
// of $2, and, where all rows are looked at, in a last line of all of these.
pg::string statement(Oid view, Oid partition, const selection &rows) {
    const columns of = columns_of(view, partition);
    const pg::string table = pg::relation_name(partition, "partition");
    const pg::string held_digest = digest_of_row(of, "h"), fresh_digest = digest_of_row(of, "f");
    pg::string text =
        "WITH fresh AS MATERIALIZED (" + plan::source_sql(view, partition, rows.range, rows.lids.has_value()) + "),";
    text += " held AS MATERIALIZED (SELECT " + list(of, "p.") + " FROM ONLY " + table + " p WHERE " +
            condition_on("p", rows) + "),";
    text +=
        " of_fresh AS (SELECT f.*, pg_catalog.count(*) OVER (PARTITION BY f.lid) AS " + of.spare + " FROM fresh f),";
    text += " of_held AS (SELECT h.*, pg_catalog.count(*) OVER (PARTITION BY h.lid) AS " + of.spare + " FROM held h),";
    text +=
        " todo AS MATERIALIZED (SELECT DISTINCT COALESCE(h.lid, f.lid) AS lid, h.lid IS NOT NULL AND s.several AS goes,"
        " f.lid IS NOT NULL AND s.several AS comes FROM of_held h FULL JOIN of_fresh f ON f.lid = h.lid"
        " CROSS JOIN LATERAL (SELECT h.lid IS NULL OR f.lid IS NULL OR h." +
        of.spare + " > 1 OR f." + of.spare + " > 1 AS several) s WHERE s.several OR ROW(" + list(of, "h.") +
        ")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(" + list(of, "f.") + ")::pg_catalog.record),";
    text += " gone AS (DELETE FROM ONLY " + table + " p USING todo t WHERE t.goes AND p.lid = t.lid RETURNING p.lid),";
    // What changed depends on what is gone, and what came on both, so that a unique index does not meet a value twice.
    text += " changed AS (UPDATE ONLY " + table + " p SET (" + list(of, "") + ") = ROW(" + list(of, "f.") +
            ") FROM fresh f JOIN todo t ON t.lid = f.lid WHERE NOT t.goes AND NOT t.comes AND p.lid = t.lid"
            " AND (SELECT pg_catalog.count(*) FROM gone) >= 0 RETURNING p.lid),";
    text +=
        " came AS (INSERT INTO " + table + " (" + list(of, "") + ") OVERRIDING SYSTEM VALUE SELECT " + list(of, "f.") +
        " FROM fresh f JOIN todo t ON t.lid = f.lid WHERE t.comes AND (SELECT pg_catalog.count(*) FROM changed) >= 0"
        " RETURNING lid)";
    text += " SELECT pg_catalog.width_bucket(d.lid, $2), pg_catalog.count(DISTINCT d.lid), pg_catalog.count(d.old),"
            " pg_catalog.count(d.new), COALESCE(pg_catalog.sum(d.old), 0)::pg_catalog.text,"
            " COALESCE(pg_catalog.sum(d.new), 0)::pg_catalog.text"
            " FROM (SELECT h.lid, " +
            held_digest +
            " AS old, NULL::pg_catalog.int8 AS new FROM held h JOIN todo t ON t.lid = h.lid"
            " UNION ALL SELECT f.lid, NULL, " +
            fresh_digest + " FROM fresh f JOIN todo t ON t.lid = f.lid) d GROUP BY 1";
    if (!rows.lids)
        text += " UNION ALL SELECT NULL, pg_catalog.count(*), etl.digest(f.*), NULL, NULL, NULL FROM fresh f WHERE "
                "f.lid IS NOT NULL";
    return text;
}

} // namespace

applied apply(Oid view, Oid partition, const selection &rows) {
    pg::settings_scope settings;
    settings.set("max_parallel_workers_per_gather", "0");
    settings.set("jit", "off");
    const digest_ranges ranges = digest_ranges_of(partition, rows.range);
    const pg::result written = pg::query(
        statement(view, partition, rows),
        {rows.lids ? pg::int8_array(*rows.lids) : pg::null_of(pg::int8_array({}).type), pg::int8_array(ranges.bounds)});
    applied done{};
    std::int64_t dead = 0;
    for (std::size_t row = 0; row < written.size(); row++) {
        if (written.is_null(row, 0)) {
            done.rows = written.int8(row, 1);
            done.digest = written.int8(row, 2);
            continue;
        }
        done.lids += written.int8(row, 1);
        dead += written.int8(row, 2);
        adjust(ranges, static_cast<std::size_t>(written.int8(row, 0)),
               {written.int8(row, 3) - written.int8(row, 2), wrap(written.text(row, 5)) - wrap(written.text(row, 4))});
    }
    note_dead(partition, dead);
    note_conversions(partition);
    return done;
}

} // namespace etl::sync
