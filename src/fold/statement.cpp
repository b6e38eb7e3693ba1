// C++ regime: the fold as one statement of plain SQL a lid range: for logs whose pages are not ours to read, and the
// meaning of the other way.
#include "fold/statement.hpp"

#include "fold/log_columns.hpp"
#include "pg/spi.hpp"

namespace etl::fold {

pg::string range_condition(const char *column, const plan::lid_range &range) {
    pg::string condition;
    auto add = [&](const char *comparison, std::int64_t bound) {
        condition += pg::format("%s%s %s '%lld'::pg_catalog.int8", condition.empty() ? "" : " AND ", column, comparison,
                                static_cast<long long>(bound));
    };
    if (range.from)
        add(">=", *range.from);
    if (range.to)
        add("<", *range.to);
    return condition.empty() ? pg::format("%s IS NOT NULL", column) : condition;
}

namespace {

// The state of each lid of the range, from the log. Events are sorted once, by (lid, dt, price): the first and the last
// row of a lid are its first and last event, and the aggregates over them pick what the window functions marked.
pg::string folded_query(const char *prices, const log_columns &columns, const plan::lid_range &range) {
    const bool scale_varies = !columns.tie.empty();
    const char *tie = columns.tie.c_str();
    const char *price_type = columns.price_type.c_str(), *day_type = columns.day_type.c_str();
    const pg::string marks =
        pg::format("SELECT lid, dt, price, pg_catalog.row_number() OVER by_day OPERATOR(pg_catalog.=) 1 AS is_first,"
                   " pg_catalog.lead(true) OVER by_day IS NULL AS is_last%s"
                   " FROM %s WHERE %s AND dt IS NOT NULL AND price IS NOT NULL"
                   " WINDOW by_day AS (PARTITION BY lid ORDER BY dt, price%s)%s",
                   scale_varies ? ", pg_catalog.row_number() OVER by_price OPERATOR(pg_catalog.=) 1 AS is_min,"
                                  " pg_catalog.lead(true) OVER by_price IS NULL AS is_max"
                                : "",
                   prices, range_condition("lid", range).c_str(), tie,
                   scale_varies ? pg::format(", by_price AS (PARTITION BY lid ORDER BY price%s)", tie).c_str() : "");
    // Equal prices of one scale are the same bytes, so that any of them will do as least and greatest.
    const char *if_least = scale_varies ? " FILTER (WHERE is_min)" : "";
    const char *if_greatest = scale_varies ? " FILTER (WHERE is_max)" : "";
    return pg::format("SELECT lid, (pg_catalog.min(price) FILTER (WHERE is_first))::%s AS first_price,"
                      " pg_catalog.min(dt)::%s AS first_dt,"
                      " (pg_catalog.min(price) FILTER (WHERE is_last))::%s AS last_price,"
                      " pg_catalog.max(dt)::%s AS last_dt,"
                      " (pg_catalog.min(price)%s)::%s AS price_min, (pg_catalog.max(price)%s)::%s AS price_max"
                      " FROM (%s) AS event GROUP BY lid",
                      price_type, day_type, price_type, day_type, if_least, price_type, if_greatest, price_type,
                      marks.c_str());
}

// Rows are compared as images: 1.5 and 1.50 are equal numbers but not the same state.
pg::string image_of(const char *row) {
    return pg::format("ROW(%s.first_price, %s.first_dt, %s.last_price, %s.last_dt, %s.price_min,"
                      " %s.price_max)::pg_catalog.record",
                      row, row, row, row, row, row);
}

} // namespace

pg::string fold_statement(Oid prices, Oid price_state, const plan::lid_range &range) {
    const pg::string log = pg::relation_name(prices, "price log"),
                     state = pg::relation_name(price_state, "price state");
    const pg::string folded = folded_query(log.c_str(), columns_of(prices), range);
    // Rows that are the same are not touched at all, as even ON CONFLICT ... WHERE false would lock, and so write,
    // them.
    return pg::format(
        "WITH folded AS MATERIALIZED (%s),"
        " removed AS (DELETE FROM %s AS s WHERE %s AND NOT EXISTS (SELECT FROM folded AS f WHERE f.lid = s.lid)"
        " RETURNING s.lid),"
        " changed AS (SELECT f.* FROM folded AS f LEFT JOIN %s AS s ON s.lid = f.lid"
        " WHERE s.lid IS NULL OR %s OPERATOR(pg_catalog.*<>) %s),"
        " written AS (INSERT INTO %s AS s (lid, first_price, first_dt, last_price, last_dt, price_min, price_max, "
        "modified)"
        " SELECT lid, first_price, first_dt, last_price, last_dt, price_min, price_max, pg_catalog.now() FROM changed"
        " ON CONFLICT (lid) DO UPDATE SET (first_price, first_dt, last_price, last_dt, price_min, price_max, modified)"
        " = ROW(excluded.first_price, excluded.first_dt, excluded.last_price, excluded.last_dt, excluded.price_min,"
        " excluded.price_max, excluded.modified) RETURNING 1)"
        " SELECT (SELECT pg_catalog.count(*) FROM removed) OPERATOR(pg_catalog.+)"
        " (SELECT pg_catalog.count(*) FROM written) AS rows,"
        " (SELECT pg_catalog.array_agg(lid) FROM removed) AS emptied",
        folded.c_str(), state.c_str(), range_condition("s.lid", range).c_str(), state.c_str(), image_of("s").c_str(),
        image_of("f").c_str(), state.c_str());
}

pg::string different_lids(Oid prices, Oid price_state, const plan::lid_range &range) {
    return pg::format("SELECT COALESCE(f.lid, s.lid) AS lid FROM (%s) AS f"
                      " FULL JOIN (SELECT * FROM %s AS s WHERE %s) AS s ON s.lid OPERATOR(pg_catalog.=) f.lid"
                      " WHERE s.lid IS NULL OR f.lid IS NULL OR %s OPERATOR(pg_catalog.*<>) %s ORDER BY 1",
                      folded_query(pg::relation_name(prices, "price log").c_str(), columns_of(prices), range).c_str(),
                      pg::relation_name(price_state, "price state").c_str(), range_condition("s.lid", range).c_str(),
                      image_of("s").c_str(), image_of("f").c_str());
}

} // namespace etl::fold
