-- Rows that a fold makes itself are those that PostgreSQL would make, whatever the order of the columns; they lie as densely.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE EXTENSION IF NOT EXISTS pageinspect;
CREATE SCHEMA fold_rows;
SET search_path = fold_rows, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);

CREATE TABLE log_plain (lid bigint, price numeric(12,2), dt date);
CREATE TABLE log_mixed (lid bigint, price numeric, dt timestamptz);
INSERT INTO log_plain SELECT i % 9001, hashint4(i) / 1000.0, date '2020-01-01' + i % 77 FROM generate_series(1, 40000) i;
-- Some prices have no code.
INSERT INTO log_mixed SELECT lid, CASE lid % 500 WHEN 7 THEN price * 1e20 ELSE trim_scale(price) END, dt FROM log_plain;
-- A price state is taken over as it is, if it is of the right shape.
CREATE TABLE price_state_mixed (
    price_max numeric, gone text, first_dt timestamptz, last_price numeric, modified timestamptz NOT NULL DEFAULT now(),
    first_price numeric, last_dt timestamptz, away int, price_min numeric, lid bigint PRIMARY KEY) WITH (fillfactor = 70);
CREATE TABLE model_mixed (LIKE price_state_mixed INCLUDING ALL) WITH (fillfactor = 70);
ALTER TABLE price_state_mixed DROP COLUMN gone, DROP COLUMN away;
ALTER TABLE model_mixed DROP COLUMN gone, DROP COLUMN away;
SELECT count(etl_add_portal(portal, 'listing', 'customer', 'stat', ('log_' || portal)::regclass))
FROM unnest(ARRAY['plain', 'mixed']) portal;
CREATE TABLE model_plain (LIKE price_state_plain INCLUDING ALL) WITH (fillfactor = 70);

CREATE PROCEDURE fold() LANGUAGE plpgsql AS $$
DECLARE
    portal text;
BEGIN
    FOREACH portal IN ARRAY ARRAY['plain', 'mixed'] LOOP
        PERFORM etl_fold_prices(portal, workers => 2);
    END LOOP;
    COMMIT;
    WHILE EXISTS (SELECT FROM etl_runs WHERE state IN ('queued', 'running')) LOOP
        COMMIT;
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;
CREATE FUNCTION bytes(state regclass) RETURNS TABLE (natts int, hoff smallint, bits text, data bytea) LANGUAGE sql AS $$
    SELECT t_infomask2 & 2047, t_hoff, t_bits, t_data
    FROM generate_series(0, pg_relation_size(state) / current_setting('block_size')::bigint - 1) block,
        heap_page_items(get_raw_page(state::text, block::int)) WHERE t_xmax::text = '0' AND t_data IS NOT NULL
$$;
-- Rows in the table; those of the log that it lacks or has in other bytes; rows that the key does not lead to; rows of
-- other bytes than PostgreSQL gives them; pages beyond those that it takes.
CREATE FUNCTION outcome(portal text, OUT rows bigint, OUT different bigint, OUT unreachable bigint, OUT other_bytes bigint,
                        OUT more_pages bigint) LANGUAGE plpgsql AS $$
DECLARE
    state text := format('price_state_%s', portal);
    model text := format('model_%s', portal);
BEGIN
    EXECUTE format('TRUNCATE %I', model);
    EXECUTE format('INSERT INTO %I SELECT s.* FROM %I s ORDER BY lid', model, state);
    EXECUTE format('SELECT count(*) FROM %I', state) INTO rows;
    EXECUTE format($q$
        WITH counted AS (SELECT lid, price, dt, scale(price) AS tie FROM log_%1$s),
        expected AS (
            SELECT lid, (array_agg(price ORDER BY dt, price, tie))[1]::text, min(dt),
                   (array_agg(price ORDER BY dt DESC, price DESC, tie DESC))[1]::text, max(dt),
                   (array_agg(price ORDER BY price, tie))[1]::text, (array_agg(price ORDER BY price DESC, tie DESC))[1]::text
            FROM counted GROUP BY lid),
        found AS (
            SELECT lid, first_price::text, first_dt, last_price::text, last_dt, price_min::text, price_max::text FROM %2$I)
        SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d
        $q$, portal, state) INTO different;
    EXECUTE format($q$
        WITH ours AS (SELECT * FROM bytes(%L)), its AS (SELECT * FROM bytes(%L))
        SELECT count(*) FROM ((TABLE ours EXCEPT ALL TABLE its) UNION ALL (TABLE its EXCEPT ALL TABLE ours)) d
        $q$, state, model) INTO other_bytes;
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_bitmapscan = off;
    EXECUTE format('SELECT $1 - count(s.modified) FROM %I s WHERE lid >= 0', state) INTO unreachable USING rows;
    SET LOCAL enable_seqscan = on;
    SET LOCAL enable_bitmapscan = on;
    more_pages := (pg_relation_size(state::regclass) - pg_relation_size(model::regclass)) / current_setting('block_size')::bigint;
END $$;

CALL fold();
SELECT portal, rows, different, unreachable, other_bytes, more_pages <= 4 AS as_dense
FROM unnest(ARRAY['plain', 'mixed']) portal, outcome(portal) ORDER BY portal;
-- Many are missing, or a few.
DELETE FROM price_state_plain WHERE lid % 1000 = 3;
DELETE FROM price_state_mixed WHERE lid % 1000 = 3 OR lid > 8000;
CALL fold();
SELECT portal, rows, different, unreachable FROM unnest(ARRAY['plain', 'mixed']) portal, outcome(portal) ORDER BY portal;

SELECT count(etl_drop_portal(portal)) FROM unnest(ARRAY['plain', 'mixed']) portal;
DROP SCHEMA fold_rows CASCADE;
DROP EXTENSION pageinspect;
