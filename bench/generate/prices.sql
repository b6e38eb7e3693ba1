-- The price log in order of arrival: crawl after crawl passes over the listings that are still for sale, so that the
-- events of one lid lie scattered over the whole table. Most are seen some :events times, a few hardly ever, a few often.
CREATE TEMP TABLE IF NOT EXISTS crawled (
    arrival bigint, lid bigint, n bigint, times integer, start date, span integer, price integer
) ON COMMIT DROP;
DROP INDEX IF EXISTS crawled_arrival;
TRUNCATE crawled;
INSERT INTO crawled
SELECT hashint8extended(n, :salt + 81), lid, n,
       floor(:events * 2.5 * power(pg_temp.fraction(n, :salt + 82), 1.5)),
       CASE WHEN isfinite(first_seen) THEN (first_seen AT TIME ZONE 'UTC')::date ELSE date '2022-02-22' END,
       1 + pg_temp.below(n, :salt + 83, 230),
       300 + pg_temp.below(n, :salt + 84, 40000)
FROM generated
UNION ALL  -- prices of listings that nobody knows
SELECT hashint8extended(n, :salt + 85), 7000000000000000000 + n * :portal_count + :portal_number, n, 2, '2022-02-22', 9, 77
FROM generate_series(1, :rows / 500 + 1) AS n
ORDER BY 1;
CREATE INDEX crawled_arrival ON crawled (arrival);

-- One hash of (listing, crawl) decides all that is odd about an event. A price or a day taken from the crawl before
-- gives ties on the day, ties on the price, and exact duplicates where both meet.
\set log_index prices_auto_ :portal _lid_dt_idx
DROP INDEX IF EXISTS raw.:log_index;
INSERT INTO raw.prices_auto_:portal
SELECT lid,
       CASE WHEN odd IN (0, 1, 2, 3) THEN NULL
            WHEN odd < 24 THEN (price * 100 - price_crawl * 1237 + n % 100) / 100.0
            WHEN odd = 24 AND :dirt > 0 AND n % 10 = 0 THEN 'NaN'
            ELSE price - price_crawl * 13 + (n * price_crawl * 7919 % 301)
       END,
       CASE WHEN odd IN (2, 3, 4, 5) THEN NULL
            WHEN odd = 6 AND :dirt > 0 AND n % 20 < 2 THEN CASE n % 2 WHEN 0 THEN date 'infinity' ELSE '-infinity' END
            ELSE start + day_crawl * span / times - late
       END
FROM generate_series(1, ceil(:events * 2.5)::integer) AS crawl
CROSS JOIN LATERAL (
    SELECT lid, n, times, start, span, price, (chance & 1023)::integer AS odd,
           crawl - ((chance >> 10) & 31 < 2)::integer AS price_crawl,
           crawl - ((chance >> 13) & 31 < 2)::integer AS day_crawl,
           CASE (chance >> 20) & 31 WHEN 0 THEN (chance >> 25) & 63 ELSE 0 END::integer AS late
    FROM (SELECT *, hashint8extended(n, :salt + 100 + crawl) AS chance FROM crawled WHERE times >= crawl) AS again
    ORDER BY arrival
) AS event;
CREATE INDEX ON raw.prices_auto_:portal (lid, dt);
