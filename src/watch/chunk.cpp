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

} // namespace etl::watch
