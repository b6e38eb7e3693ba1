// C++ regime.
#include "sync/standing.hpp"

#include "capture/captured.hpp"
#include "mart/table.hpp"
#include "plan/plan.hpp"
#include "sync/rate_sets.hpp"

#include <algorithm>

namespace etl::sync {

namespace {

// Forgets what all partitions, and the chunks of seeds that may yet be published, have had. Those that read now began
// within a day.
void forget_emptied() {
    if (pg::query("SELECT FROM etl.price_emptied LIMIT 1").empty())
        return;
    pg::execute(
        "DELETE FROM etl.price_emptied e WHERE e.modified < LEAST((SELECT pg_catalog.min(p.mark) FROM etl.partition p"
        " JOIN etl.portal o ON o.portal = p.portal WHERE o.price_state = e.price_state),"
        " (SELECT pg_catalog.min(t.mark) FROM etl.run r JOIN etl.task t USING (run_id)"
        "  WHERE r.kind = 'seed' AND r.state <> 'published')) - interval '1 day'"
        " AND EXISTS (SELECT FROM etl.partition p JOIN etl.portal o ON o.portal = p.portal"
        "  WHERE o.price_state = e.price_state)");
}

[[noreturn]] void raise_unseeded(const catalog::make &make, const pg::string &portal) {
    throw error(
        "55000", pg::view(pg::format("make \"%s\" was never seeded", make.name.c_str())),
        pg::view(pg::format("Portal \"%s\" has no partition in the mart that a seed has filled.", portal.c_str())),
        pg::view(pg::format("SELECT * FROM etl_seed(%s) fills it.", pg::quote_literal(pg::view(make.name)).c_str())));
}

// Where all chunks that converted anything did so with the same rates, and these are kept, the set, 0 where none did;
// else NULL. $1: the run; p: etl.run_portal.
constexpr const char *common_rates =
    "(SELECT CASE WHEN pg_catalog.count(DISTINCT t.rates) = 0 THEN 0 WHEN pg_catalog.count(DISTINCT t.rates) = 1"
    "  AND (pg_catalog.min(t.rates) = 0 OR EXISTS (SELECT FROM etl.used_rate u WHERE u.set = pg_catalog.min(t.rates)))"
    "  THEN pg_catalog.min(t.rates) END FROM etl.task t WHERE t.run_id = $1 AND t.portal = p.portal)";

// Of all partitions that seeds of the make have filled, replaced ones included.
pg::vector<standing> all_standings(const catalog::make &make) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        pg::kept(
            "SELECT e.portal, e.relation::oid, i.inhrelid IS NOT NULL, e.view::oid,"
            " (EXTRACT(epoch FROM e.mark - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint, e.rates,"
            " CASE WHEN e.cluster = $3 THEN (e.position - '0/0'::pg_lsn)::bigint END FROM etl.partition e"
            " LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = e.relation AND i.inhparent = $2 WHERE e.make = $1"),
        {pg::text(make.name), pg::oid(make.mart), pg::int8(pg::system_identifier())});
    pg::vector<standing> all;
    for (std::size_t row = 0; row < rows.size(); row++)
        all.push_back({rows.text(row, 0), rows.oid(row, 1), rows.boolean(row, 2),
                       rows.is_null(row, 3) ? InvalidOid : rows.oid(row, 3), rows.int8(row, 4),
                       rows.optional_int8(row, 5), rows.optional_int8(row, 6)});
    return all;
}

// What was done to rows by others, digests that follow changes don't tell; where all rows of a range were compared,
// they do.
void note_compared(const pg::value &run) {
    const int compare = static_cast<int>(plan::phase::compare);
    if (pg::query("SELECT FROM etl.task WHERE run_id = $1 AND phase = $2 LIMIT 1", {run, pg::int4(compare)}).empty())
        return;
    pg::execute(
        pg::format(
            "UPDATE etl.digest d SET rows = c.rows, digest = c.digest FROM (SELECT d.relation, d.lid_from,"
            "  pg_catalog.sum(t.compared)::bigint AS rows, etl.sum_digests(t.digest) AS digest"
            "  FROM etl.run_portal p JOIN etl.digest d ON d.relation = p.staging JOIN etl.task t ON t.run_id = p.run_id"
            "  AND t.portal = p.portal AND t.phase = %d AND (d.lid_from IS NULL OR t.lid_from >= d.lid_from)"
            "  AND (d.lid_to IS NULL OR t.lid_to <= d.lid_to) WHERE p.run_id = $1 GROUP BY d.relation, d.lid_from, "
            "d.lid_to"
            "  HAVING pg_catalog.bool_or(t.lid_from IS NOT DISTINCT FROM d.lid_from)"
            "  AND pg_catalog.bool_or(t.lid_to IS NOT DISTINCT FROM d.lid_to)) c"
            " WHERE d.relation = c.relation AND d.lid_from IS NOT DISTINCT FROM c.lid_from"
            " AND (d.rows, d.digest) IS DISTINCT FROM (c.rows, c.digest)",
            compare),
        {run});
}

} // namespace

standing standing_of(const catalog::make &make, Oid partition, const pg::string &portal) {
    for (const standing &held : all_standings(make))
        if (held.partition == partition && held.portal == portal)
            return held;
    raise_unseeded(make, portal);
}

pg::vector<standing> standings_of(const catalog::make &make, const pg::vector<catalog::source> &sources) {
    const pg::vector<standing> all = all_standings(make);
    pg::vector<standing> found;
    for (const catalog::source &source : sources) {
        const auto held = std::find_if(all.begin(), all.end(), [&source](const standing &one) {
            return one.is_attached && one.portal == source.portal;
        });
        if (held == all.end()) {
            mart::read_table(make.mart, "mart"); // 42P01 if it is gone
            raise_unseeded(make, source.portal);
        }
        found.push_back(*held);
    }
    return found;
}

void forget_partitions(const pg::string &make) {
    pg::catalog_scope as_catalog;
    pg::execute("DELETE FROM etl.digest d USING etl.partition p WHERE p.relation = d.relation AND p.make = $1",
                {pg::text(make)});
    pg::execute("DELETE FROM etl.partition WHERE make = $1", {pg::text(make)});
}

void forget_dropped() {
    pg::catalog_scope as_catalog;
    for (const char *table : {"partition", "digest"})
        pg::execute(pg::format(
            "DELETE FROM etl.%s p WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = p.relation)",
            table));
}

void note_seed(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::value run = pg::int8(run_id);
    forget_dropped(); // on the way
    pg::execute(
        pg::format(
            "INSERT INTO etl.partition (relation, make, portal, view, mark, rates)"
            " SELECT p.staging, r.make, p.portal, p.view, COALESCE((SELECT pg_catalog.min(t.mark) FROM etl.task t"
            "  WHERE t.run_id = $1 AND t.portal = p.portal AND t.kind = 'load'), r.started_at), %s"
            " FROM etl.run_portal p JOIN etl.run r USING (run_id) WHERE p.run_id = $1",
            common_rates),
        {run});
    pg::execute(
        "INSERT INTO etl.digest (relation, lid_from, lid_to, rows, digest)"
        " SELECT p.staging, t.lid_from, t.lid_to, COALESCE(t.rows, 0), t.digest FROM etl.run_portal p"
        " JOIN etl.task t USING (run_id, portal) WHERE p.run_id = $1 AND t.kind = 'load' AND t.digest IS NOT NULL",
        {run});
    forget_unused_sets();
    capture::consume(run_id);
}

void note_sync(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::value run = pg::int8(run_id);
    const bool other_rates = !pg::query("SELECT FROM etl.run_portal p JOIN etl.partition e ON e.relation = p.staging"
                                        " WHERE p.run_id = $1 AND e.rates IS DISTINCT FROM p.rates LIMIT 1",
                                        {run})
                                  .empty();
    // Chunks that converted with other rates than were found leave nothing to compare the next ones with.
    pg::execute(
        "UPDATE etl.partition e SET mark = GREATEST(e.mark, p.mark), view = p.view,"
        " position = GREATEST(p.position, CASE WHEN e.cluster = r.system_identifier THEN e.position END),"
        " cluster = r.system_identifier, rates = CASE WHEN NOT EXISTS "
        "(SELECT FROM etl.task t"
        "  WHERE t.run_id = $1 AND t.portal = p.portal AND t.rates <> p.rates) THEN COALESCE(p.rates, e.rates) END"
        " FROM etl.run_portal p JOIN etl.run r USING (run_id) WHERE p.run_id = $1 AND e.relation = p.staging"
        " AND r.portal IS NULL AND p.mark IS NOT NULL",
        {run});
    note_compared(run);
    forget_emptied();
    if (other_rates)
        forget_unused_sets();
    capture::consume(run_id);
}

} // namespace etl::sync
