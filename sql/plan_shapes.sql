-- Templates of many shapes: whatever the shape, the chunks of a plan give the view's rows, each once.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA plan_shapes;
SET search_path = plan_shapes, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, price integer);
CREATE TABLE customer (acc_id bigint PRIMARY KEY, name text);
CREATE TABLE stat (lid bigint PRIMARY KEY, views integer);
CREATE TABLE prices (lid bigint, price integer, dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, model text, modified timestamptz);
INSERT INTO listing SELECT l, l % 5, l % 7 FROM generate_series(-60, 60) l;
INSERT INTO customer SELECT a, 'c' || a FROM generate_series(-5, 5) a;
INSERT INTO stat SELECT l, l % 3 FROM generate_series(-50, 70, 2) l;
INSERT INTO prices SELECT l % 40, l, '2020-01-01' FROM generate_series(1, 100) l;
INSERT INTO mapping SELECT l, 'm' || l % 4 FROM generate_series(-59, 70, 3) l;
SELECT etl_add_portal('shapes', 'listing', 'customer', 'stat', 'prices');
INSERT INTO price_state_shapes SELECT lid, 1, '2020-01-01', 2, '2020-01-01', 1, 2, '2020-01-01' FROM stat WHERE lid % 4 = 0;

CREATE TABLE shape (number integer GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO shape (query) VALUES
-- The range on every table:
('SELECT ads.lid, {portal}::text AS portal, views, model FROM {listing} ads JOIN {stat} s ON s.lid = ads.lid JOIN {mapping} m ON m.lid = s.lid'),
('SELECT lid, {portal}::text AS portal, views, model FROM {listing} JOIN {stat} USING (lid) JOIN {mapping} USING (lid)'),
('SELECT ads.lid, {portal}::text AS portal, views, model FROM {listing} ads, {stat} s, {mapping} m WHERE s.lid = ads.lid AND m.lid = ads.lid AND views > 0'),
('SELECT ads.lid, {portal}::text AS portal, views, first_price FROM {listing} ads LEFT JOIN {stat} s ON s.lid = ads.lid LEFT JOIN {price_state} ps ON ps.lid = s.lid'),
('SELECT ads.lid, {portal}::text AS portal, views, first_price FROM {listing} ads LEFT JOIN ({stat} s JOIN {price_state} ps ON ps.lid = s.lid) ON s.lid = ads.lid'),
('SELECT ads.lid, {portal}::text AS portal, views, first_price FROM {stat} s RIGHT JOIN {listing} ads ON s.lid = ads.lid LEFT JOIN {price_state} ps ON ps.lid = ads.lid AND views = 1'),
('SELECT s.lid, {portal}::text AS portal, model FROM (SELECT lid FROM {stat} WHERE views > 0) s JOIN {mapping} m ON m.lid = s.lid'),
-- On some of them, on outer joins that name their columns by USING unseen:
('SELECT lid, {portal}::text AS portal, views, first_price FROM {listing} LEFT JOIN {stat} USING (lid) LEFT JOIN {price_state} USING (lid)'),
('SELECT ads.lid, {portal}::text AS portal, views FROM {listing} ads FULL JOIN {stat} s ON s.lid = ads.lid'),
('SELECT s.lid, {portal}::text AS portal, price FROM {listing} ads LEFT JOIN {stat} s ON s.lid = ads.lid'),
('SELECT ads.lid, {portal}::text AS portal, views FROM {listing} ads LEFT JOIN {stat} s ON s.lid = ads.lid AND ads.lid = ads.price'),
('SELECT ads.lid, {portal}::text AS portal, n FROM {listing} ads, LATERAL (SELECT count(*) AS n FROM {price_state} p WHERE p.lid = ads.lid) q'),
-- On the view as a whole:
('SELECT lid, {portal}::text AS portal, views FROM {listing} FULL JOIN {stat} USING (lid)'),
('SELECT j.lid, {portal}::text AS portal, j.views FROM ({listing} JOIN {stat} USING (lid)) AS j'),
('SELECT lid, {portal}::text AS portal, sum(price) AS price FROM {listing} JOIN {stat} USING (lid) GROUP BY lid'),
('SELECT lid, {portal}::text AS portal, row_number() OVER (ORDER BY price, lid) AS place FROM {listing}'),
('SELECT DISTINCT lid, {portal}::text AS portal FROM {listing}'),
('SELECT DISTINCT ON (price) lid, {portal}::text AS portal FROM {listing} ORDER BY price, lid DESC'),
('SELECT lid, {portal}::text AS portal FROM {listing} ORDER BY price, lid LIMIT 30'),
('SELECT lid, {portal}::text AS portal FROM {listing} WHERE lid < 0 UNION ALL SELECT lid, {portal} FROM {stat} WHERE lid > 0'),
('WITH s AS (SELECT lid, views FROM {stat}) SELECT m.lid, {portal}::text AS portal, views FROM {mapping} m JOIN s ON s.lid = m.lid'),
('SELECT lid + 1 AS lid, {portal}::text AS portal FROM {listing}'),
('SELECT NULLIF(lid, 3) AS lid, {portal}::text AS portal FROM {listing}');

-- key_join: rows that the key join gives and the executor does not, or the other way; and what the plan says of it.
CREATE FUNCTION try(query text) RETURNS TABLE (chunks bigint, rows bigint, missing bigint, extra bigint, ranges bigint, differing bigint, key_join text)
LANGUAGE plpgsql AS $$
DECLARE
    task record;
    source regclass;
BEGIN
    PERFORM etl_set_template('plan_shapes', query);
    PERFORM etl_add_make('shapes', 'mapping', 'plan_shapes.mart', template => 'plan_shapes', portals => ARRAY['shapes']);
    SELECT view INTO source FROM etl.source WHERE make = 'shapes';
    EXECUTE format('CREATE TEMP TABLE loaded AS SELECT * FROM %s WITH NO DATA', source);
    EXECUTE format('CREATE TEMP TABLE joined AS SELECT * FROM %s WITH NO DATA', source);
    chunks := 0;
    SET LOCAL etl.key_join = on;
    FOR task IN SELECT * FROM etl_plan('shapes', chunk_rows => 5) WHERE kind = 'load' LOOP
        EXECUTE 'INSERT INTO loaded ' || task.sql;
        SET LOCAL etl.key_join = always;
        EXECUTE 'CREATE TEMP TABLE chunk AS ' || task.sql;
        SET LOCAL etl.key_join = off;
        INSERT INTO joined TABLE chunk;
        DROP TABLE chunk;
        key_join := substring(task.sql from '^/\* load, ([^*]*) \*/');
        chunks := chunks + 1;
        IF task.lid_from IS NOT NULL AND task.lid_to IS NOT NULL THEN
            SELECT count(*) INTO ranges FROM regexp_matches(task.sql, 'lid >= ', 'g');
        END IF;
    END LOOP;
    SELECT count(*) INTO rows FROM loaded;
    EXECUTE format('SELECT count(*) FROM (SELECT * FROM %s WHERE lid IS NOT NULL EXCEPT ALL SELECT * FROM loaded) d', source) INTO missing;
    EXECUTE format('SELECT count(*) FROM (SELECT * FROM loaded EXCEPT ALL SELECT * FROM %s) d', source) INTO extra;
    SELECT count(*) INTO differing
    FROM ((TABLE loaded EXCEPT ALL TABLE joined) UNION ALL (TABLE joined EXCEPT ALL TABLE loaded)) d;
    DROP TABLE loaded, joined;
    PERFORM etl_drop_make('shapes');
    PERFORM etl_drop_template('plan_shapes');
    DROP TABLE mart;
    RETURN NEXT;
END $$;
SELECT number, (try(query)).* FROM shape ORDER BY number;

SELECT etl_drop_portal('shapes');
DROP SCHEMA plan_shapes CASCADE;
