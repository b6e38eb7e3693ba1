-- Which joins the key join takes, which it leaves to the executor and why, and that both give the same rows.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA join_shapes;
SET search_path = join_shapes, public;
-- Rows of several shapes: before and after columns came and went, long and short values in and out of line, compressed
-- or not, updated in place and elsewhere, deleted, and in no order.
CREATE TABLE listing (gone int, lid bigint PRIMARY KEY, acc_id int, title text, price numeric(12,2), images smallint) WITH (fillfactor = 70);
ALTER TABLE listing ALTER title SET STORAGE EXTERNAL;
INSERT INTO listing SELECT l, l, l % 50, CASE l % 20 WHEN 0 THEN repeat('long', 1000) WHEN 1 THEN repeat('middling', 40) WHEN 2 THEN NULL ELSE 'short ' || l END,
    l / 7.0, l % 9 FROM (SELECT (i * 7919) % 4000 - 2000 AS l FROM generate_series(0, 3999) i) s;
ALTER TABLE listing ADD COLUMN color text DEFAULT 'red', ADD COLUMN doors int;
ALTER TABLE listing DROP COLUMN gone;
INSERT INTO listing SELECT l, l % 60, repeat(md5(l::text), 100), 1, 2, NULL, l FROM generate_series(2001, 2500) l;
UPDATE listing SET price = price + 1 WHERE lid % 5 = 0;
UPDATE listing SET lid = lid + 10000, title = title || '!' WHERE lid % 11 = 0;
DELETE FROM listing WHERE lid % 13 = 0;
CREATE TABLE customer (name text, acc_id bigint NOT NULL UNIQUE, country text, small smallint UNIQUE);
INSERT INTO customer SELECT 'c' || a, a, CASE a % 3 WHEN 0 THEN 'AT' ELSE 'DE' END, nullif(a, 5) FROM generate_series(-40, 50) a;
UPDATE customer SET name = name || '''' WHERE acc_id % 7 = 1;
-- The key may be NULL, and is not the first column.
CREATE TABLE stat (views int, note text, lid bigint UNIQUE, acc_id bigint, twin bigint UNIQUE);
INSERT INTO stat SELECT l % 10, CASE l % 4 WHEN 0 THEN NULL ELSE 'n' END, CASE l % 17 WHEN 0 THEN NULL ELSE l END, CASE l % 7 WHEN 0 THEN 65537 ELSE l % 30 END, l FROM generate_series(-2200, 2500) l;
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
CREATE TABLE mapping (lid bigint, model text, country text, modified timestamptz, number int, PRIMARY KEY (lid));
INSERT INTO mapping SELECT l, CASE l % 6 WHEN 0 THEN NULL ELSE 'm' || l % 4 END, CASE l % 5 WHEN 0 THEN 'AT' ELSE 'DE' END, timestamptz '2020-01-01 00:00+00' + l * interval '1 hour', l % 100
FROM (SELECT (i * 3571) % 5000 - 2500 AS l FROM generate_series(0, 4999, 2) i) s;
SELECT etl_add_portal('shapes', 'listing', 'customer', 'stat', 'prices');
INSERT INTO price_state_shapes SELECT lid, 1, '2020-01-01', 2, '2020-01-01', 1, 2, '2020-01-01 00:00+00' FROM mapping WHERE lid % 3 = 0;
VACUUM ANALYZE listing, customer, stat, mapping, price_state_shapes;

-- Makes a make of a template; says how its chunks are joined, how many rows that gives, and how many of them differ
-- from those of the executor, with the whole view in one and with ranges of lids, in memory that holds them and that
-- does not.
CREATE FUNCTION try(query text) RETURNS TABLE (key_join text, rows bigint, differing bigint) LANGUAGE plpgsql AS $$
DECLARE
    source regclass;
    range text;
    memory text;
    more bigint;
BEGIN
    PERFORM etl_set_template('join_shapes', query);
    PERFORM etl_add_make('shapes', 'mapping', 'join_shapes.mart', template => 'join_shapes', portals => ARRAY['shapes']);
    SELECT view INTO source FROM etl.source WHERE make = 'shapes';
    SELECT substring(sql from '^/\* load, ([^*]*) \*/') INTO key_join FROM etl_plan('shapes') WHERE kind = 'load';
    differing := 0;
    FOREACH range IN ARRAY ARRAY['true', 'lid < 0', 'lid >= -300 AND lid < 5', 'lid = 7', 'lid > 9223372036854775807', 'lid >= 10 AND lid < 10',
        'lid = ANY (''{7,-5,7,10011,NULL,99999,9223372036854775807}'')', 'lid = ANY (''{}'')', 'lid < 5 AND lid = ANY (''{4,3}'') AND lid = ANY (''{5,4}'')',
        'lid = ANY (' || quote_literal((SELECT array_agg(l ORDER BY l % 7) FROM generate_series(-2600, 12600, 3) l)) || ')'] LOOP
        FOREACH memory IN ARRAY ARRAY['64kB', '1GB'] LOOP
            PERFORM set_config('etl.join_memory', memory, true);
            SET LOCAL etl.key_join = always;
            EXECUTE format('CREATE TEMP TABLE joined AS SELECT * FROM %s WHERE %s', source, range);
            SET LOCAL etl.key_join = on;
            EXECUTE format('CREATE TEMP TABLE executed AS SELECT * FROM %s WHERE %s', source, range);
            SELECT count(*) INTO more FROM ((TABLE joined EXCEPT ALL TABLE executed) UNION ALL (TABLE executed EXCEPT ALL TABLE joined)) d;
            differing := differing + more;
            SELECT greatest(rows, count(*)) INTO rows FROM joined;
            DROP TABLE joined, executed;
        END LOOP;
    END LOOP;
    PERFORM etl_drop_make('shapes');
    PERFORM etl_drop_template('join_shapes');
    DROP TABLE mart;
    RETURN NEXT;
END $$;

CREATE TABLE shape (number integer GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO shape (query) SELECT 'SELECT {portal}::text AS portal, ' || q FROM unnest(ARRAY[
-- Ours:
'l.*, s.views, s.note, s.acc_id AS sa, s.twin, m.model, m.number FROM {listing} l JOIN {stat} s ON s.lid = l.lid JOIN {mapping} m ON m.lid = l.lid',
'l.lid, title, views, model, first_price, name FROM {listing} l JOIN {customer} c ON c.acc_id = l.acc_id JOIN {stat} s ON s.lid = l.lid JOIN {mapping} m ON m.lid = s.lid LEFT JOIN {price_state} ps ON ps.lid = l.lid WHERE model IS NOT NULL AND m.country = ''DE'' AND m.modified > ''2019-12-01'' AND views BETWEEN 2 AND 8 AND title <> ''short 5'' AND c.country = ''DE''',
'l.lid, views FROM {stat} s, {listing} l WHERE l.lid = s.lid',
'lid, views, color FROM {listing} JOIN {stat} USING (lid) WHERE lid IS NOT NULL',
'l.lid, views, first_price FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {stat} s ON s.lid = m.lid AND s.views > 3 LEFT JOIN {price_state} ps ON ps.lid = l.lid AND ps.lid < 100',
'l.lid, c.name FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {customer} c ON c.acc_id = l.acc_id AND c.country = ''AT''',
'l.lid, c.name FROM {price_state} ps RIGHT JOIN {mapping} m ON ps.lid = m.lid JOIN {listing} l ON m.lid = l.lid JOIN {customer} c ON c.acc_id = m.number',
'l.lid, c.name FROM {listing} l JOIN {stat} s ON s.lid = l.lid LEFT JOIN {customer} c ON c.small = s.acc_id',
'l.lid, c.name, d.name AS other FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {customer} c ON c.acc_id = l.acc_id JOIN {customer} d ON d.acc_id = m.number',
'l.lid, first_price, (SELECT max(name) FROM {customer} c WHERE c.acc_id = l.acc_id) AS c FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {price_state} ps ON ps.lid = l.lid',
'l.lid, l.price / m.number AS quotient FROM {listing} l JOIN {mapping} m ON m.lid = l.lid AND m.number <> 0',
'l.lid, v.views FROM {listing} l JOIN (SELECT lid, views FROM {stat} WHERE views > 5) v ON v.lid = l.lid',
'l.lid, m.number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid AND m.lid = 8',
-- Not ours:
'lid, title FROM {listing}',
'l.lid, first_price FROM {listing} l LEFT JOIN {price_state} ps ON ps.lid = l.lid',
'l.lid, views FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {stat} s ON s.lid = l.lid WHERE s.lid IS NULL OR views > 3',
'l.lid, views FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {stat} s ON s.lid = l.lid WHERE s.views IS NULL',
'l.lid, views FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {stat} s ON s.lid = l.lid AND s.acc_id = l.acc_id',
'l.lid, views FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {stat} s ON s.lid = l.lid AND l.doors > 3',
'l.lid, views FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {stat} s ON s.acc_id = l.acc_id AND s.lid < 0',
'l.lid, views FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN ({stat} s JOIN {customer} c ON c.acc_id = s.acc_id) ON s.lid = l.lid',
'l.lid, views FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN {price_state} ps ON ps.lid = l.lid LEFT JOIN {stat} s ON s.lid = ps.lid',
'l.lid, views FROM {listing} l FULL JOIN {stat} s ON s.lid = l.lid JOIN {mapping} m ON m.lid = l.lid',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid WHERE EXISTS (SELECT FROM {stat} s WHERE s.acc_id = l.acc_id)',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid WHERE NOT EXISTS (SELECT FROM {stat} s WHERE s.lid = l.lid)',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid WHERE m.number > (SELECT avg(views) FROM {stat} s WHERE s.acc_id = m.number)',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid WHERE m.number > l.images',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {stat} s ON s.lid = l.lid AND s.acc_id = l.acc_id',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {stat} s ON s.lid = l.lid AND s.twin = l.lid',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {customer} c ON c.acc_id = l.acc_id AND c.acc_id = m.number',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {customer} c ON c.country = m.country AND c.acc_id < -35',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {stat} s ON s.acc_id = l.acc_id AND s.lid < -2100',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {customer} c ON c.acc_id < -38',
'l.lid, number FROM {listing} l JOIN {mapping} m ON m.lid = l.lid + 1',
'l.lid, p.n FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN (SELECT lid, count(*) AS n FROM {stat} GROUP BY lid) p ON p.lid = l.lid',
'l.lid, p.n FROM {listing} l JOIN {mapping} m ON m.lid = l.lid, LATERAL (SELECT count(*) AS n FROM {stat} s WHERE s.acc_id = l.acc_id) p',
'l.lid, p.one FROM {listing} l JOIN {mapping} m ON m.lid = l.lid LEFT JOIN (SELECT lid, 1 AS one FROM {stat}) p ON p.lid = l.lid',
'l.lid, m::text AS whole FROM {listing} l JOIN {mapping} m ON m.lid = l.lid',
'sum(l.price) AS price, l.lid FROM {listing} l JOIN {mapping} m ON m.lid = l.lid GROUP BY l.lid']) WITH ORDINALITY u (q, n) ORDER BY n;
SELECT number, (try(query)).* FROM shape ORDER BY number;

-- Relations that are not ours to read.
CREATE FUNCTION try(change text, undo text) RETURNS TABLE (key_join text, rows bigint, differing bigint) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE change;
    RETURN QUERY SELECT t.* FROM shape s, try(s.query) t WHERE s.number = 2;
    EXECUTE undo;
END $$;
SELECT change, t.* FROM (VALUES
    ('CREATE TABLE child () INHERITS (stat)', 'DROP TABLE child; ANALYZE stat'),
    ('ALTER TABLE stat DROP CONSTRAINT stat_lid_key', 'ALTER TABLE stat ADD UNIQUE (lid)'),
    ('ALTER TABLE stat DROP CONSTRAINT stat_lid_key, ADD UNIQUE (lid) DEFERRABLE', 'ALTER TABLE stat DROP CONSTRAINT stat_lid_key, ADD UNIQUE (lid)'),
    ('ALTER TABLE stat DROP CONSTRAINT stat_lid_key; CREATE UNIQUE INDEX stat_some ON stat (lid) WHERE views > 0', 'DROP INDEX stat_some; ALTER TABLE stat ADD UNIQUE (lid)'),
    ('ALTER TABLE stat DROP CONSTRAINT stat_lid_key; CREATE UNIQUE INDEX stat_two ON stat (lid, views)', 'DROP INDEX stat_two; ALTER TABLE stat ADD UNIQUE (lid)'),
    ('ALTER TABLE stat DROP CONSTRAINT stat_lid_key; CREATE UNIQUE INDEX stat_also ON stat (lid) INCLUDE (views)', 'DROP INDEX stat_also; ALTER TABLE stat ADD UNIQUE (lid)'),
    ('ALTER TABLE customer DROP CONSTRAINT customer_acc_id_key', 'ALTER TABLE customer ADD UNIQUE (acc_id)')) v (change, undo),
    LATERAL try(change, undo) t;

-- As EXPLAIN shows it. It is offered where a chunk is planned, and elsewhere only if asked for.
CREATE VIEW joined AS SELECT l.lid, title, views, model, first_price, name FROM listing l JOIN customer c ON c.acc_id = l.acc_id
JOIN stat s ON s.lid = l.lid JOIN mapping m ON m.lid = l.lid LEFT JOIN price_state_shapes ps ON ps.lid = l.lid WHERE m.model = 'm2';
CREATE FUNCTION is_ours(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line ~ 'EtlKeyJoin' THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;
SELECT is_ours('TABLE joined');
SET etl.key_join = always;
EXPLAIN (COSTS OFF) SELECT * FROM joined WHERE lid < 100;
EXPLAIN (COSTS OFF, VERBOSE) SELECT upper(name) || views FROM listing l JOIN customer c ON c.acc_id = l.acc_id JOIN stat s ON s.lid = l.lid AND s.lid > 10 WHERE l.lid BETWEEN 15 AND 20;
-- A range that each relation has, as a chunk's, counts once: many customers are read as a whole, those of few rows looked up.
EXPLAIN (COSTS OFF) SELECT * FROM listing l JOIN customer c ON c.acc_id = l.acc_id JOIN stat s ON s.lid = l.lid JOIN mapping m ON m.lid = l.lid
WHERE l.lid BETWEEN 0 AND 200 AND s.lid BETWEEN 0 AND 200 AND m.lid BETWEEN 0 AND 200;
SELECT is_ours('SELECT lid FROM listing JOIN stat USING (lid) FOR UPDATE');
SELECT is_ours('SELECT lid FROM listing JOIN stat USING (lid) WHERE random() < views');
SELECT is_ours('SELECT lid, s.ctid FROM listing JOIN stat s USING (lid)');
SELECT is_ours('SELECT count(*) FROM (SELECT * FROM joined OFFSET 0) q');

-- What does not fit the memory is joined in parts.
CREATE FUNCTION passes(memory text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    PERFORM set_config('etl.join_memory', memory, true);
    FOR line IN EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM joined LOOP
        IF line ~ 'Passes' THEN
            RETURN NEXT trim(line);
        END IF;
    END LOOP;
END $$;
SELECT passes <> 'Passes: 1' AS several FROM passes('64kB');
SELECT passes FROM passes('64MB');

-- Rows are taken in any number and again.
BEGIN;
DECLARE walk SCROLL CURSOR FOR SELECT lid, views, name FROM joined WHERE lid > 0;
FETCH 2 walk;
FETCH BACKWARD 1 walk;
MOVE ABSOLUTE 0 walk;
FETCH 1 walk;
CLOSE walk;
DECLARE few CURSOR FOR SELECT lid FROM joined;
FETCH 1 few;
ROLLBACK;
SELECT count(*), sum(lid) FROM (SELECT lid FROM joined LIMIT 7) q;
PREPARE ranged (bigint, text) AS SELECT count(*), sum(views) FROM listing l JOIN stat s ON s.lid = l.lid WHERE l.lid < $1 AND s.note = $2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE ranged (50, 'n');
EXECUTE ranged (50, 'n');
EXECUTE ranged (NULL, 'n');
SET etl.key_join = off;
DEALLOCATE ranged;
PREPARE ranged (bigint, text) AS SELECT count(*), sum(views) FROM listing l JOIN stat s ON s.lid = l.lid WHERE l.lid < $1 AND s.note = $2;
EXECUTE ranged (50, 'n');
SET etl.key_join = always;
RESET plan_cache_mode;

-- Rows of this transaction, of savepoints, deleted and updated ones.
BEGIN;
UPDATE mapping SET model = 'm2' WHERE lid % 4 = 0;
SAVEPOINT s;
DELETE FROM stat WHERE lid % 8 = 2;
UPDATE listing SET lid = lid + 100000 WHERE lid BETWEEN 5 AND 15;
UPDATE stat SET lid = lid + 100000 WHERE lid BETWEEN 5 AND 15;
UPDATE mapping SET lid = lid + 100000 WHERE lid BETWEEN 5 AND 15;
CREATE TEMP TABLE within AS TABLE joined;
SET LOCAL etl.key_join = off;
SELECT count(*), count(w.lid) FILTER (WHERE w.lid > 100000) AS moved, count(*) FILTER (WHERE w IS DISTINCT FROM j) AS differing FROM within w FULL JOIN joined j USING (lid);
ROLLBACK TO s;
SET LOCAL etl.key_join = always;
CREATE TEMP TABLE within AS TABLE joined;
SET LOCAL etl.key_join = off;
SELECT count(*), count(w.lid) FILTER (WHERE w.lid > 100000) AS moved, count(*) FILTER (WHERE w IS DISTINCT FROM j) AS differing FROM within w FULL JOIN joined j USING (lid);
ROLLBACK;

-- Of few keys, rows are found by the index one by one: versions updated in place and elsewhere, dead, aborted, of this
-- transaction; behind redirections; on pages that are all visible and that are not.
CREATE TABLE a (lid bigint PRIMARY KEY, x int, filler text) WITH (fillfactor = 40, autovacuum_enabled = off);
CREATE TABLE b (lid bigint PRIMARY KEY, y int) WITH (fillfactor = 40, autovacuum_enabled = off);
INSERT INTO a SELECT (i * 7919) % 20000, i, repeat('f', 30) FROM generate_series(0, 19999) i;
INSERT INTO b SELECT (i * 3571) % 20000, i FROM generate_series(0, 19999) i;
ANALYZE a, b;
CREATE FUNCTION differing() RETURNS TABLE (by_index boolean, rows bigint, differing bigint) LANGUAGE plpgsql AS $$
DECLARE
    query text;
    line text;
    first bigint;
    more bigint;
BEGIN
    by_index := true;
    rows := 0;
    differing := 0;
    FOREACH first IN ARRAY ARRAY[-5, 0, 77, 5000, 19900] LOOP
        query := format('SELECT * FROM a JOIN b USING (lid) WHERE a.lid BETWEEN %1$s AND %1$s + 150 AND b.lid BETWEEN %1$s AND %1$s + 150', first);
        SET LOCAL etl.key_join = always;
        FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
            by_index := by_index AND line !~ 'all pages';
        END LOOP;
        EXECUTE 'CREATE TEMP TABLE ours AS ' || query;
        SET LOCAL etl.key_join = off;
        EXECUTE 'CREATE TEMP TABLE executors AS ' || query;
        SELECT count(*) INTO more FROM ((TABLE ours EXCEPT ALL TABLE executors) UNION ALL (TABLE executors EXCEPT ALL TABLE ours)) d;
        differing := differing + more;
        rows := rows + (SELECT count(*) FROM ours);
        DROP TABLE ours, executors;
    END LOOP;
    RETURN NEXT;
END $$;
SELECT * FROM differing();
UPDATE a SET x = -x WHERE lid % 3 = 0;
UPDATE a SET x = x + 1 WHERE lid % 6 = 0;
UPDATE b SET lid = lid + 100000 WHERE lid % 10 = 1;
DELETE FROM b WHERE lid % 10 = 2;
BEGIN;
UPDATE a SET x = 0;
DELETE FROM b;
ROLLBACK;
SELECT * FROM differing();
BEGIN;
UPDATE a SET x = x + 2 WHERE lid % 4 = 0;
SAVEPOINT s;
DELETE FROM a WHERE lid % 5 = 0;
SELECT * FROM differing();
ROLLBACK TO s;
INSERT INTO b SELECT l, 0 FROM generate_series(1, 19999, 10) l;
SELECT * FROM differing();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT * FROM differing();
COMMIT;
VACUUM a, b;
SELECT * FROM differing();
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT * FROM differing();
COMMIT;
UPDATE a SET x = x + 1 WHERE lid % 7 = 0;
SELECT * FROM differing();

-- What a serializable transaction reads, it watches.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SET LOCAL etl.key_join = always;
SELECT count(first_price) > 0 AS some FROM joined WHERE lid > 2000;
SELECT DISTINCT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.mode = 'SIReadLock' AND l.pid = pg_backend_pid() AND c.relkind = 'r'
AND c.relnamespace = 'join_shapes'::regnamespace ORDER BY 1;
ROLLBACK;
RESET etl.key_join;

-- A view without data is an error, not an empty table
CREATE MATERIALIZED VIEW hollow AS SELECT lid, views FROM stat WITH NO DATA;
CREATE UNIQUE INDEX ON hollow (lid);
SET etl.key_join = always;
SELECT count(*) FROM listing JOIN hollow USING (lid);
REFRESH MATERIALIZED VIEW hollow;
SELECT count(*) = (SELECT count(*) FROM stat JOIN listing USING (lid)) AS same FROM listing JOIN hollow USING (lid);
RESET etl.key_join;

-- Rights are those of the query.
CREATE ROLE regress_join;
GRANT USAGE ON SCHEMA join_shapes TO regress_join;
GRANT SELECT ON listing, mapping, customer TO regress_join;
SET ROLE regress_join;
SET etl.key_join = always;
SELECT count(*) FROM listing JOIN mapping USING (lid) JOIN customer USING (acc_id);
SELECT count(*) FROM listing JOIN mapping USING (lid) JOIN stat USING (lid);
RESET ROLE;
GRANT SELECT (lid) ON stat TO regress_join;
ALTER TABLE listing ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON listing TO regress_join USING (lid < 0);
SET ROLE regress_join;
SELECT max(lid) FROM listing JOIN mapping USING (lid) JOIN stat USING (lid);
SELECT max(s.views) FROM listing JOIN mapping USING (lid) JOIN stat s USING (lid);
RESET ROLE;
RESET etl.key_join;
DROP OWNED BY regress_join;
DROP ROLE regress_join;

SELECT etl_drop_portal('shapes');
DROP SCHEMA join_shapes CASCADE;
