-- Folds as workers do them: the price state against the log, over logs of all shapes, by pages and by SQL.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA fold_pages;
SET search_path = fold_pages, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE mapping (lid bigint PRIMARY KEY, make text, modified timestamptz);

-- Rows of three shapes: without the last column, with a dropped one, and whole; dead ones, updated ones, HOT chains.
CREATE TABLE log_fixed (note text, lid bigint, gone int, price numeric(12,2)) WITH (fillfactor = 70);
INSERT INTO log_fixed SELECT CASE i % 3 WHEN 0 THEN NULL ELSE repeat('x', i % 200) END, i % 700, i, i % 1000 / 7.0
FROM generate_series(1, 5000) i;
ALTER TABLE log_fixed ADD COLUMN dt date DEFAULT '2020-02-02';
ALTER TABLE log_fixed DROP COLUMN gone;
INSERT INTO log_fixed SELECT NULL, i % 900 - 100, CASE i % 11 WHEN 0 THEN NULL WHEN 1 THEN 'NaN' ELSE hashint4(i) / 1000.0 END,
    CASE i % 13 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE date '2020-01-01' + abs(hashint4(i) % 60) END
FROM generate_series(1, 9000) i;
UPDATE log_fixed SET price = price + 1 WHERE lid % 10 = 3;
UPDATE log_fixed SET price = price - 2 WHERE lid % 20 = 3;
DELETE FROM log_fixed WHERE lid % 17 = 0;
INSERT INTO log_fixed (lid, price, dt) VALUES (NULL, 1, '2020-01-01'), (9223372036854775807, -9999999999.99, 'infinity'),
    (-9223372036854775808, 9999999999.99, '-infinity'), (0, 0, '2020-01-01');

-- Numbers that fit no code: many places, many digits, compressed ones; beside infinities and other scales.
CREATE TABLE log_open (price numeric, dt timestamptz, lid bigint);
ALTER TABLE log_open ALTER price SET STORAGE MAIN;
INSERT INTO log_open
SELECT (ARRAY[1.5, 1.50, 1.500000, 1.5000000, 2, -3, -3.0, 'NaN', 'Infinity', '-Infinity', 1e15, 999999999999.999999,
              1e12, -1e12, 1e300, 1e-300, 0, 0.000, NULL, ('1' || repeat('23', 1500))::numeric, 1e12 + 0.0])[1 + hash % 21],
       (ARRAY['2020-01-01', '2020-01-02', '1999-12-31 23:59:59.999999+00', 'infinity', '-infinity', NULL])[1 + hash / 21 % 6]::timestamptz,
       i % 500
FROM (SELECT i, abs(hashint4(i)) AS hash FROM generate_series(1, 4000) i) e;
CREATE TABLE log_wide (lid bigint, price numeric(30,4), dt timestamp);
INSERT INTO log_wide SELECT i % 50, (CASE i % 4 WHEN 0 THEN 1e14 ELSE 1 END) * hashint4(i), timestamp '2020-01-01' + i * interval '1 hour'
FROM generate_series(1, 500) i;

-- Partitions of several layouts, one of them not a heap of its own; children; a materialized view; a view.
CREATE TABLE log_parts (lid bigint, price numeric(10,1), dt date) PARTITION BY RANGE (lid);
CREATE TABLE log_parts_1 PARTITION OF log_parts FOR VALUES FROM (MINVALUE) TO (100) PARTITION BY HASH (lid);
CREATE TABLE log_parts_10 PARTITION OF log_parts_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE log_parts_11 (dt date, gone text, price numeric(10,1), lid bigint);
ALTER TABLE log_parts_11 DROP COLUMN gone;
ALTER TABLE log_parts_1 ATTACH PARTITION log_parts_11 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE log_parts_2 PARTITION OF log_parts DEFAULT;
INSERT INTO log_parts SELECT i % 300, hashint4(i) % 1000 / 10.0, date '2020-01-01' + i % 40 FROM generate_series(1, 3000) i;
CREATE TABLE log_parent (lid bigint, price numeric(12,2), dt date);
CREATE TABLE log_child (price numeric(12,2), further int) INHERITS (log_parent);
INSERT INTO log_parent SELECT lid, price, dt FROM log_parts;
INSERT INTO log_child SELECT lid + 5, price + 1, dt - 1, 3 FROM log_parts;
CREATE MATERIALIZED VIEW log_stored AS SELECT lid, price::numeric(12,2) AS price, dt FROM log_parts;
CREATE VIEW log_view AS SELECT lid, price, dt FROM log_fixed;
CREATE TABLE log_none (lid bigint, price numeric(12,2), dt date);

-- Ordered by lid, with an index: ranges are read by pages of the index.
CREATE TABLE log_ordered (lid bigint, price numeric(12,2), dt date);
INSERT INTO log_ordered SELECT i / 10, hashint4(i) % 100000 / 100.0, date '2020-01-01' + abs(hashint4(i + 1) % 60) FROM generate_series(1, 60000) i;
CREATE INDEX ON log_ordered (lid);
CREATE TABLE log_brin (LIKE log_ordered);
INSERT INTO log_brin TABLE log_ordered;
CREATE INDEX ON log_brin USING brin (lid) WITH (pages_per_range = 4);
-- In order of arrival, of more lids than the memory holds.
CREATE TABLE log_arrived (lid bigint, price numeric(12,2), dt date);
INSERT INTO log_arrived SELECT i * 7919 % 20011, i % 1000, date '2020-01-01' + i % 300 FROM generate_series(1, 60000) i;
ANALYZE;

CREATE VIEW portal AS
SELECT unnest(ARRAY['arrived', 'brin', 'fixed', 'none', 'open', 'ordered', 'parent', 'parts', 'stored', 'view', 'wide']) AS portal;
SELECT count(etl_add_portal(portal, 'listing', 'customer', 'stat', ('log_' || portal)::regclass)) FROM portal;
SELECT etl_set_template('fold_pages', 'SELECT m.lid, {make}::text AS make, {portal}::text AS portal FROM {mapping} m');
SELECT etl_add_make('fold_pages', 'mapping', 'fold_pages.mart', template => 'fold_pages',
                    portals => ARRAY(SELECT portal FROM portal));

-- What a plan says: how each log is read and why. Ranges are as many as memory and workers ask for.
SET etl.fold_memory = '256kB';
SELECT portal, count(*) > 1 AS several, min(regexp_replace(sql, '.* of \d+, (.*?)( \(.*)? \*/.*', '\1')) AS how
FROM etl_plan('fold_pages', workers => 2) WHERE kind = 'fold' GROUP BY portal ORDER BY portal;
SET etl.chunk_target = '10ms';
SET etl.fold_memory = '16MB';
SELECT portal, count(*) AS ranges FROM etl_plan('fold_pages', workers => 1)
WHERE kind = 'fold' AND portal IN ('ordered', 'brin', 'arrived') GROUP BY portal ORDER BY portal;
RESET etl.chunk_target;
RESET etl.fold_memory;

CREATE FUNCTION differences(portal text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    EXECUTE format($q$
        WITH counted AS (SELECT lid, price, dt, scale(price) AS tie FROM %1$I WHERE lid IS NOT NULL AND price IS NOT NULL AND dt IS NOT NULL),
        expected AS (
            SELECT lid, (array_agg(price ORDER BY dt, price, tie))[1]::text, min(dt)::text,
                   (array_agg(price ORDER BY dt DESC, price DESC, tie DESC))[1]::text, max(dt)::text,
                   (array_agg(price ORDER BY price, tie))[1]::text, (array_agg(price ORDER BY price DESC, tie DESC))[1]::text
            FROM counted GROUP BY lid),
        found AS (
            SELECT lid, first_price::text, first_dt::text, last_price::text, last_dt::text, price_min::text, price_max::text
            FROM %2$I)
        SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d
        $q$, 'log_' || portal, 'price_state_' || portal) INTO found;
    RETURN found;
END $$;
-- lids: of the price state; other_images: rows that the plan's SQL would write, as it finds other bytes.
CREATE FUNCTION outcome() RETURNS TABLE (portal text, lids bigint, differences bigint, other_images bigint) LANGUAGE plpgsql AS $$
DECLARE
    task record;
    written bigint;
BEGIN
    FOR portal IN SELECT p.portal FROM portal p ORDER BY 1 LOOP
        EXECUTE format('SELECT count(*) FROM %I', 'price_state_' || portal) INTO lids;
        differences := differences(portal);
        other_images := 0;
        FOR task IN EXECUTE format('SELECT sql FROM etl_plan(''fold_pages'') WHERE kind = ''fold'' AND portal = %L', portal) LOOP
            EXECUTE task.sql INTO written;
            other_images := other_images + written;
        END LOOP;
        RETURN NEXT;
    END LOOP;
END $$;

-- Every log, at once. Workers have little memory, so that some ranges take several scans.
SELECT format('ALTER DATABASE %I SET etl.fold_memory = ''256kB''', current_database()) \gexec
\set fold 'SELECT max(run_id) AS run FROM portal, etl_fold_prices(portal, workers => 2)'
CREATE PROCEDURE wait() LANGUAGE plpgsql AS $$
BEGIN
    WHILE EXISTS (SELECT FROM etl_runs WHERE state IN ('queued', 'running')) LOOP
        COMMIT;
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;
:fold \gset
CALL etl_wait(:run);
CALL wait();
SELECT portal, state, rows FROM etl_runs WHERE kind = 'fold' ORDER BY portal;
-- `unfolded` again, so that etl_plan shows fold tasks
UPDATE etl.portal SET state = 'unfolded';
SELECT * FROM outcome();
SELECT lid, first_price, first_dt, last_price, last_dt, price_min, price_max FROM price_state_fixed
WHERE lid IN (9223372036854775807, -9223372036854775808, 0) ORDER BY lid;
SELECT count(*), count(DISTINCT modified) <= 2 AS moments FROM price_state_fixed WHERE modified > now() - interval '1 hour';

-- Again: nothing differs, so nothing is written.
:fold \gset
CALL etl_wait(:run);
CALL wait();
SELECT sum(rows) FROM etl_runs WHERE run_id IN (SELECT max(run_id) FROM etl_runs GROUP BY portal);

-- What changed is written, and nothing else.
CREATE TABLE before AS SELECT 'fixed' AS portal, lid, xmin AS writer, ctid AS place FROM price_state_fixed
UNION ALL SELECT 'open', lid, xmin, ctid FROM price_state_open;
INSERT INTO log_fixed (lid, price, dt) VALUES (1, -87654321, '1990-01-01'), (3, 0, '2020-01-20'), (20000, 5, '2020-01-01');
DELETE FROM log_fixed WHERE lid IN (21, 22);
UPDATE price_state_fixed SET price_max = NULL WHERE lid = 24;
DELETE FROM price_state_fixed WHERE lid = 25;
INSERT INTO price_state_fixed VALUES (30000, 1, '2020-01-01', 1, '2020-01-01', 1, 1);
INSERT INTO log_open VALUES (0.00000001, '1980-01-01', 600), (7, '1980-01-02', 600);
-- the same number in another scale is another state
UPDATE price_state_open SET price_min = price_min + 0.0000000000 WHERE lid = 8;
:fold \gset
CALL etl_wait(:run);
CALL wait();
SELECT portal, rows FROM etl_runs WHERE run_id IN (SELECT max(run_id) FROM etl_runs GROUP BY portal) AND rows > 0 ORDER BY portal;
SELECT portal, lid FROM (SELECT 'fixed' AS portal, lid, xmin AS writer, ctid AS place FROM price_state_fixed
                         UNION ALL SELECT 'open', lid, xmin, ctid FROM price_state_open) s
LEFT JOIN before b USING (portal, lid) WHERE (s.writer, s.place) IS DISTINCT FROM (b.writer, b.place) ORDER BY portal, lid;
UPDATE etl.portal SET state = 'unfolded';
SELECT sum(differences), sum(other_images) FROM outcome();

-- A price state that is more than a plain table gets its rows by SQL, triggers and all.
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.modified := '2000-01-01';
    RETURN NEW;
END $$;
CREATE TRIGGER note BEFORE INSERT ON price_state_parts FOR EACH ROW EXECUTE FUNCTION fold_pages.note();
ALTER TABLE price_state_parent ADD CHECK (price_max < 1e6);
CREATE INDEX ON price_state_stored (last_price, (lid % 3)) WHERE lid % 2 = 0;
SELECT portal, regexp_replace(sql, '.* of \d+, (.*?)( \(.*)? \*/.*', '\1') AS how FROM etl_plan('fold_pages', workers => 1)
WHERE kind = 'fold' AND portal IN ('parts', 'parent', 'stored') ORDER BY portal;
TRUNCATE price_state_parts, price_state_parent, price_state_stored;
:fold \gset
CALL etl_wait(:run);
CALL wait();
SELECT count(*) FROM price_state_parts WHERE modified = '2000-01-01';
SET enable_seqscan = off;
SELECT count(*) FROM price_state_stored WHERE last_price > 0 AND lid % 3 = 1 AND lid % 2 = 0;
RESET enable_seqscan;
SELECT count(*) FROM price_state_stored WHERE last_price + 0 > 0 AND lid % 3 = 1 AND lid % 2 = 0;
TRUNCATE log_arrived;
:fold \gset
CALL etl_wait(:run);
CALL wait();
SELECT count(*) FROM price_state_arrived;
UPDATE etl.portal SET state = 'unfolded';
SELECT sum(differences), sum(other_images) FROM outcome();

SELECT format('ALTER DATABASE %I RESET etl.fold_memory', current_database()) \gexec
SELECT etl_drop_make('fold_pages');
SELECT etl_drop_template('fold_pages');
SELECT count(etl_drop_portal(portal)) FROM portal;
DROP SCHEMA fold_pages CASCADE;
