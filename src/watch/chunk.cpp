// C++ regime: folding a range of a log that is watched, while writers are at work.
#include "fold/statement.hpp"
#include "pg/identity.hpp"
#include "watch/apply.hpp"
#include "watch/watch.hpp"

#include <algorithm>

namespace etl::watch {

namespace {

// Inserts what is missing and names what differs, from one snapshot. ON CONFLICT waits for whoever is at a row.
pg::string compare_statement(const catalog::portal &portal, const plan::lid_range &range) {
    const pg::string state = pg::relation_name(portal.price_state, "price state");
    constexpr const char *image = "ROW(%s.first_price, %s.first_dt, %s.last_price, %s.last_dt, %s.price_min,"
                                  " %s.price_max)::pg_catalog.record";
    auto image_of = [&](const char *of) { return pg::format(image, of, of, of, of, of, of); };
    return pg::format(
        "WITH folded AS MATERIALIZED (%s),"
        " missing AS MATERIALIZED (SELECT f.* FROM folded AS f WHERE NOT EXISTS (SELECT FROM %s AS s WHERE s.lid = "
        "f.lid)),"
        " inserted AS (INSERT INTO %s (lid, first_price, first_dt, last_price, last_dt, price_min, price_max, modified)"
        " SELECT lid, first_price, first_dt, last_price, last_dt, price_min, price_max, pg_catalog.now() FROM missing"
        " ORDER BY lid ON CONFLICT (lid) DO NOTHING RETURNING lid)"
        " SELECT NULL::pg_catalog.int8 AS lid, pg_catalog.count(*) AS rows FROM inserted"
        " UNION ALL SELECT f.lid, 0 FROM folded AS f JOIN %s AS s ON s.lid = f.lid WHERE %s OPERATOR(pg_catalog.*<>) %s"
        " UNION ALL SELECT s.lid, 0 FROM %s AS s WHERE %s AND NOT EXISTS (SELECT FROM folded AS f WHERE f.lid = s.lid)"
        " UNION ALL SELECT m.lid, 0 FROM missing AS m WHERE NOT EXISTS (SELECT FROM inserted AS i WHERE i.lid = m.lid)",
        fold::folded_select(portal.prices, range).c_str(), state.c_str(), state.c_str(), state.c_str(),
        image_of("s").c_str(), image_of("f").c_str(), state.c_str(), fold::range_condition("s.lid", range).c_str());
}

void add_emptied(pg::vector<std::int64_t> &lids, Oid state, const plan::lid_range &range) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(pg::format("SELECT lid FROM etl.price_removal WHERE price_state = $1 AND %s",
                                                 fold::range_condition("lid", range).c_str()),
                                      {pg::oid(state)});
    for (std::size_t row = 0; row < rows.size(); row++)
        lids.push_back(rows.int8(row, 0));
}

} // namespace

std::int64_t fold_chunk(const catalog::portal &portal, const plan::lid_range &range) {
    pg::settings_scope settings;
    settings.set("max_parallel_workers_per_gather", "0");
    settings.set("jit", "off");
    // The chunk can be tried again, a writer's transaction can't: in a deadlock the chunk finds out first and gives
    // way.
    settings.force("deadlock_timeout", "20ms");
    pg::call([&portal] { announce_fold(portal.price_state); });
    const pg::result rows = pg::query(compare_statement(portal, range));
    std::int64_t written = 0;
    pg::vector<std::int64_t> lids;
    for (std::size_t row = 0; row < rows.size(); row++) {
        written += rows.int8(row, 1);
        if (!rows.is_null(row, 0))
            lids.push_back(rows.int8(row, 0));
    }
    add_emptied(lids, portal.price_state, range);
    std::sort(lids.begin(), lids.end());
    lids.erase(std::unique(lids.begin(), lids.end()), lids.end());
    if (lids.empty())
        return written;
    const std::int64_t anew = pg::call([&] {
        return refold({portal.prices, portal.price_state, nullptr, nullptr}, lids.data(), lids.size());
    });
    if (anew < 0)
        throw error("55000",
                    pg::view(pg::format("price state of portal \"%s\" can't be kept by triggers", portal.name.c_str())),
                    {}, "etl_health tells why; etl_unwatch_prices() lets it be folded without.");
    return written + anew;
}

void settle(std::int64_t run_id, std::int32_t task_no, std::string_view portal) {
    pg::catalog_scope as_catalog;
    // The row lock makes the last two of several workers see each other.
    pg::query("SELECT FROM etl.portal WHERE portal = $1 FOR NO KEY UPDATE", {pg::text(portal)});
    const pg::result early = pg::query("SELECT t.task_no FROM etl.task t JOIN etl.watch w ON w.portal = t.portal"
                                       " WHERE t.run_id = $1 AND t.portal = $2 AND t.kind = 'fold'"
                                       " AND t.started_at < w.since AND (t.state = 'done' OR t.task_no = $3)",
                                       {pg::int8(run_id), pg::text(portal), pg::int4(task_no)});
    for (std::size_t row = 0; row < early.size(); row++)
        if (early.int8(row, 0) == task_no)
            throw error("55006", "the price log came to be watched while this chunk was folded");
    if (!early.empty())
        pg::execute(
            "UPDATE etl.task t SET state = 'waiting', ended_at = NULL, why = 'price log is watched now'"
            " FROM etl.watch w WHERE w.portal = t.portal AND t.run_id = $1 AND t.portal = $2 AND t.kind = 'fold'"
            " AND t.started_at < w.since AND t.state = 'done'",
            {pg::int8(run_id), pg::text(portal)});
    const pg::result tasks = pg::query("SELECT pg_catalog.count(*) FILTER (WHERE state <> 'done' AND task_no <> $3),"
                                       " pg_catalog.min(started_at)::text FROM etl.task"
                                       " WHERE run_id = $1 AND portal = $2 AND kind = 'fold'",
                                       {pg::int8(run_id), pg::text(portal), pg::int4(task_no)});
    if (tasks.int8(0, 0) > 0)
        return;
    const pg::string since = tasks.text(0, 1);
    pg::execute("SELECT etl.settle_price_state($1, $2::timestamptz)", {pg::text(portal), pg::text(since)});
    pg::execute(
        "DELETE FROM etl.price_removal q USING etl.portal p WHERE p.portal = $1 AND q.price_state = p.price_state::oid"
        " AND q.at < $2::timestamptz AND NOT EXISTS (SELECT FROM etl.task t WHERE t.kind = 'fold'"
        "  AND t.portal = p.portal AND t.run_id <> $3 AND t.state = 'running')",
        {pg::text(portal), pg::text(since), pg::int8(run_id)});
}

} // namespace etl::watch
