// C++ regime: comparing a sample of a price state with the log.
#include "fold/log_columns.hpp"
#include "watch/watch.hpp"

namespace etl::watch {

namespace {

// Half of the lids come from the state, and half from the log, so that missing rows are found as well as wrong ones.
// A large log is sampled by pages; a small one, or a view, as a whole.
pg::string sample_of_log(const catalog::portal &portal, std::int64_t rows) {
    const pg::result size =
        pg::query("WITH RECURSIVE part AS (SELECT $1::oid AS relation UNION SELECT i.inhrelid FROM part"
                  " JOIN pg_catalog.pg_inherits i ON i.inhparent = part.relation)"
                  " SELECT pg_catalog.sum(GREATEST(c.reltuples, 0))::int8, pg_catalog.bool_and(c.relkind IN ('r', 'p'))"
                  " FROM part JOIN pg_catalog.pg_class c ON c.oid = part.relation",
                  {pg::oid(portal.prices)});
    const pg::string log = pg::relation_name(portal.prices, "price log");
    constexpr double generous = 20; // a page holds many events of one lid where the log is ordered
    const double percent =
        100.0 * generous * static_cast<double>(rows) / static_cast<double>(std::max<std::int64_t>(size.int8(0, 0), 1));
    if (!size.boolean(0, 1) || percent >= 100)
        return log;
    return pg::format("%s TABLESAMPLE SYSTEM (%g)", log.c_str(), std::max(percent, 0.0001));
}

pg::string statement(const catalog::portal &portal, std::int64_t sample_rows) {
    const pg::string log = pg::relation_name(portal.prices, "price log"),
                     state = pg::relation_name(portal.price_state, "price state");
    const pg::string tie = fold::columns_of(portal.prices).tie;
    const long long of_state = sample_rows - sample_rows / 2, of_log = sample_rows / 2;
    return pg::format(
        "WITH lids AS MATERIALIZED (SELECT pg_catalog.array_agg(lid) AS sampled FROM ("
        "(SELECT lid FROM %s ORDER BY pg_catalog.random() LIMIT %lld) UNION"
        " (SELECT lid FROM (SELECT DISTINCT lid FROM %s WHERE lid IS NOT NULL) AS l ORDER BY pg_catalog.random() LIMIT "
        "%lld)) AS l),"
        " event AS MATERIALIZED (SELECT lid, price, dt FROM %s WHERE lid = ANY ((SELECT sampled FROM "
        "lids)::pg_catalog.int8[])"
        "  AND price IS NOT NULL AND dt IS NOT NULL),"
        " marked AS MATERIALIZED (SELECT *,"
        "  pg_catalog.row_number() OVER (PARTITION BY lid ORDER BY dt, price%s) AS d, pg_catalog.lead(true) OVER"
        "  (PARTITION BY lid ORDER BY dt, price%s) AS more_d, pg_catalog.row_number() OVER (PARTITION BY lid ORDER BY "
        "price%s) AS p,"
        "  pg_catalog.lead(true) OVER (PARTITION BY lid ORDER BY price%s) AS more_p FROM event),"
        " expected AS (SELECT lid, pg_catalog.max(price::text) FILTER (WHERE d = 1) AS first_price,"
        "  pg_catalog.max(dt::text) FILTER (WHERE d = 1) AS first_dt,"
        "  pg_catalog.max(price::text) FILTER (WHERE more_d IS NULL) AS last_price,"
        "  pg_catalog.max(dt::text) FILTER (WHERE more_d IS NULL) AS last_dt,"
        "  pg_catalog.max(price::text) FILTER (WHERE p = 1) AS price_min,"
        "  pg_catalog.max(price::text) FILTER (WHERE more_p IS NULL) AS price_max FROM marked GROUP BY lid)"
        " SELECT lid, v.name, v.expected, v.found FROM expected AS e FULL JOIN"
        " (SELECT * FROM %s WHERE lid = ANY ((SELECT sampled FROM lids)::pg_catalog.int8[])) AS s USING (lid) CROSS "
        "JOIN LATERAL (VALUES"
        "  (1, 'first_price', e.first_price, s.first_price::text), (2, 'first_dt', e.first_dt, s.first_dt::text),"
        "  (3, 'last_price', e.last_price, s.last_price::text), (4, 'last_dt', e.last_dt, s.last_dt::text),"
        "  (5, 'price_min', e.price_min, s.price_min::text), (6, 'price_max', e.price_max, s.price_max::text))"
        " AS v (no, name, expected, found) WHERE v.expected IS DISTINCT FROM v.found ORDER BY lid, v.no",
        state.c_str(), of_state, sample_of_log(portal, sample_rows).c_str(), of_log, log.c_str(), tie.c_str(),
        tie.c_str(), tie.c_str(), tie.c_str(), state.c_str());
}

} // namespace

pg::vector<difference> check(const catalog::portal &portal, std::int64_t sample_rows) {
    if (sample_rows < 1)
        throw error("22023", pg::view(pg::format("argument \"sample_rows\" must be at least 1, not " INT64_FORMAT,
                                                 sample_rows)),
                    {}, "Leave it out for a sample of 10000 listings.");
    pg::owner_scope as_owner(portal.owner);
    const pg::result rows = pg::query(statement(portal, sample_rows));
    pg::vector<difference> found;
    for (std::size_t row = 0; row < rows.size(); row++)
        found.push_back({rows.int8(row, 0), rows.text(row, 1), rows.optional_text(row, 2), rows.optional_text(row, 3)});
    return found;
}

} // namespace etl::watch
