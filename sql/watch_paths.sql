-- Every way to write to a watched price log: afterwards the price state equals the log, or the portal is stale. The 14 that
-- reliability asks for are 1 to 14 here, but for logical replication's apply, which needs servers (test/t/210_subscription.pl).
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA watch_paths;
SET search_path = watch_paths, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lid bigint, note text, price numeric(12,2), dt date);
CREATE INDEX ON plain (lid, dt);
CREATE TABLE parted (dt date, gone text, lid bigint, price numeric, k int) PARTITION BY LIST (k);
ALTER TABLE parted DROP COLUMN gone;
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (price numeric, k int, lid bigint, dt date) PARTITION BY LIST (k);
CREATE TABLE parted_2a PARTITION OF parted_2 FOR VALUES IN (2);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2, 3);
CREATE INDEX ON parted (lid, dt);
SELECT etl_add_portal('plain', 'listing', 'customer', 'stat', 'plain'), etl_add_portal('parted', 'listing', 'customer', 'stat', 'parted');

-- Rows that a recomputation from the log and the state do not have in common, all columns, as text; and what
-- etl_check_prices finds.
CREATE FUNCTION differences(portal text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint; checked bigint; state text;
BEGIN
    EXECUTE format($q$
        WITH counted AS (SELECT lid, price, dt FROM %1$I WHERE lid IS NOT NULL AND price IS NOT NULL AND dt IS NOT NULL),
        expected AS (
            SELECT lid, (array_agg(price ORDER BY dt, price, scale(price)))[1]::text, min(dt)::text,
                   (array_agg(price ORDER BY dt DESC, price DESC, scale(price) DESC))[1]::text, max(dt)::text,
                   (array_agg(price ORDER BY price, scale(price)))[1]::text,
                   (array_agg(price ORDER BY price DESC, scale(price) DESC))[1]::text
            FROM counted GROUP BY lid),
        found AS (SELECT lid, first_price::text, first_dt::text, last_price::text, last_dt::text, price_min::text, price_max::text
                  FROM %2$I)
        SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d
        $q$, portal, 'price_state_' || portal) INTO n;
    SELECT count(DISTINCT lid) INTO checked FROM etl_check_prices(portal);
    SELECT h.state || coalesce(': ' || h.detail, '') INTO state FROM etl_health h WHERE subject = 'price state' AND name = portal;
    RETURN format('%s rows differ, %s lids by check; %s', n, checked, state);
END $$;

-- Folds in this session, as the workers of a run do.
CREATE PROCEDURE fold(portal text) LANGUAGE plpgsql AS $$
DECLARE
    run bigint;
BEGIN
    SELECT DISTINCT r.run_id INTO run FROM etl_fold_prices(portal) r;
    COMMIT;
    CALL etl_wait(run);
END $$;

-- Unfolded and watched: events that were there before are missing, until a fold makes the state current.
INSERT INTO plain (lid, price, dt) SELECT i % 50, i, '2020-01-01'::date + i % 90 FROM generate_series(1, 400) i;
INSERT INTO parted (lid, price, dt, k) SELECT i % 50, i::numeric / 100, '2020-01-01'::date + i % 90, 1 + i % 2 FROM generate_series(1, 400) i;
SELECT etl_watch_prices('plain'), etl_watch_prices('parted');
INSERT INTO plain (lid, price, dt) VALUES (1, 0.5, '2019-01-01'), (1000, 1, '2020-01-01');
DELETE FROM plain WHERE lid = 2;
DELETE FROM plain WHERE lid = 3 AND price < 200;
SELECT state FROM etl_health WHERE name = 'plain';
SELECT count(*) FROM price_state_plain;
CALL fold('plain');
CALL fold('parted');
SELECT p, differences(p) FROM unnest(ARRAY['plain', 'parted']) p;
SELECT tgrelid::regclass, count(*), array_agg(DISTINCT tgenabled) FROM pg_trigger
WHERE tgfoid = 'etl.fold_price_events'::regproc GROUP BY 1 ORDER BY tgrelid::regclass::text COLLATE "C";

-- 1 INSERT: new lids, old lids, extremes, ties, other scales, NULLs, infinities, very long prices
INSERT INTO plain (lid, price, dt) VALUES (1, 0.01, '2018-01-01'), (1, 99999, '2030-01-01'), (2, 7, '2020-05-05'), (5, NULL, '2020-01-01'),
    (5, 3, NULL), (NULL, 3, '2020-01-01'), (6, 'NaN', 'infinity'), (6, 1, '-infinity'), (9223372036854775807, 1, '2020-01-01'),
    (-9223372036854775808, 2, '2020-01-01'), (7, 0, '2020-01-01'), (7, 0.00, '2020-01-01'), (8, -5, '2020-01-01');
INSERT INTO parted (lid, price, dt, k) VALUES (1, 0.1, '2020-03-31', 1), (1, 0.10, '2020-03-31', 2), (1, 0.100, '2010-01-01', 1), (2, 'NaN', '2020-01-01', 2),
    (3, 'infinity', '2031-01-01', 1), (3, '-infinity', '2031-01-01', 1), (4, 123456789012345678901234567890.123456789, '2031-01-01', 1),
    (4, 1e-30, '2031-01-02', 2), (4, 123456789012345678901234567890.1234567890, '2031-01-01', 1), (5, 0, '2031-01-01', 1), (5, 0.000, '2031-01-01', 1),
    (6, 999999999999, '2031-01-01', 1), (6, 999999999999.9999, '2031-01-02', 1), (6, 1000000000000, '2031-01-03', 1), (6, 0.00001, '2031-01-03', 1),
    (7, 10000, '2031-01-03', 1), (7, 10000.0001, '2031-01-03', 1), (7, -0.0001, '2031-01-03', 1), (7, -10000, '2031-01-03', 1);
INSERT INTO plain (lid, price, dt) SELECT 50 - i % 60, (i * 37) % 1000, '2020-01-01'::date + (i * 13) % 200 FROM generate_series(1, 2000) i;
SELECT p, differences(p) FROM unnest(ARRAY['plain', 'parted']) p;
-- nothing changes: no row is written
CREATE TABLE before AS SELECT lid, xmin AS writer FROM price_state_plain;
INSERT INTO plain (lid, price, dt) SELECT lid, last_price, last_dt FROM price_state_plain;
SELECT count(*) FROM price_state_plain s JOIN before b USING (lid) WHERE s.xmin <> b.writer;

-- 2 COPY
COPY plain (lid, price, dt) FROM stdin;
20	1000000.01	2029-01-01
70	12	2029-01-01
70	11.50	2029-01-02
\N	11.50	2029-01-02
\.
COPY parted (lid, price, dt, k) FROM stdin;
20	1000000.010	2029-01-01	1
80	3	2029-01-01	2
\.
SELECT p, differences(p) FROM unnest(ARRAY['plain', 'parted']) p;

-- 3 UPDATE: of extremes, of others, of the key, of columns that do not count, of nothing
UPDATE plain SET price = price + 1 WHERE lid < 10;
UPDATE plain SET dt = dt + 1 WHERE lid % 3 = 0;
UPDATE plain SET lid = lid + 1 WHERE lid BETWEEN 10 AND 20;
UPDATE plain SET price = NULL WHERE lid = 21;
UPDATE plain SET price = 5 WHERE lid = 21;
UPDATE plain SET note = 'seen';
UPDATE plain SET price = price WHERE false;
UPDATE parted SET price = price * 1.0 WHERE lid % 2 = 0;
SELECT p, differences(p) FROM unnest(ARRAY['plain', 'parted']) p;

-- 4 DELETE: extremes, others, the last event of a lid
DELETE FROM plain WHERE price = 0.01 OR price = 99999 OR price = 'NaN';
DELETE FROM plain WHERE id % 7 = 0;
DELETE FROM plain WHERE lid = 30;
DELETE FROM parted WHERE price > 3;
SELECT p, differences(p) FROM unnest(ARRAY['plain', 'parted']) p;
SELECT count(*) FROM price_state_plain WHERE lid = 30;
INSERT INTO plain (lid, price, dt) VALUES (30, 4, '2020-01-01');

-- 5 INSERT ... ON CONFLICT
CREATE UNIQUE INDEX plain_key ON plain (lid, dt) WHERE note = 'unique';
INSERT INTO plain (lid, price, dt, note) VALUES (31, 5, '2020-02-02', 'unique'), (32, 5, '2020-02-02', 'unique');
INSERT INTO plain (lid, price, dt, note) VALUES (31, 500000, '2020-02-02', 'unique'), (33, 1, '2020-02-02', 'unique')
    ON CONFLICT (lid, dt) WHERE note = 'unique' DO UPDATE SET price = excluded.price, lid = plain.lid + 100;
INSERT INTO plain (lid, price, dt, note) VALUES (32, 900000, '2020-02-02', 'unique') ON CONFLICT DO NOTHING;
SELECT differences('plain');

-- 6 MERGE
MERGE INTO plain p USING (VALUES (31, 1), (32, 2), (5000, 3), (131, 4)) v (lid, act) ON p.lid = v.lid
    WHEN MATCHED AND v.act = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET price = p.price * 2, dt = p.dt - 400
    WHEN NOT MATCHED THEN INSERT (lid, price, dt) VALUES (v.lid, 77, '2020-07-07');
SELECT differences('plain');

-- 7 CTE with several DMLs
WITH gone AS (DELETE FROM plain WHERE lid = 32 RETURNING lid, price, dt), moved AS (UPDATE plain SET lid = 6000 WHERE lid = 5000 RETURNING 1)
INSERT INTO plain (lid, price, dt) SELECT lid, price + 1, dt + 1 FROM gone UNION ALL SELECT 6000, 1, '2020-01-01';
WITH added AS (INSERT INTO plain (lid, price, dt) VALUES (40, 0.02, '2001-01-01') RETURNING 1)
DELETE FROM plain WHERE lid = 40;
SELECT differences('plain');

-- 8 foreign-key cascades
CREATE TABLE car (lid bigint PRIMARY KEY);
INSERT INTO car SELECT DISTINCT lid FROM plain WHERE lid IS NOT NULL;
ALTER TABLE plain ADD CONSTRAINT plain_car FOREIGN KEY (lid) REFERENCES car ON DELETE CASCADE ON UPDATE CASCADE;
DELETE FROM car WHERE lid BETWEEN 41 AND 44;
UPDATE car SET lid = lid + 100000 WHERE lid BETWEEN 45 AND 47;
SELECT differences('plain');
ALTER TABLE plain DROP CONSTRAINT plain_car;

-- 9 rollbacks and savepoints
BEGIN;
INSERT INTO plain (lid, price, dt) VALUES (1, 0.001, '1999-01-01');
SAVEPOINT a;
DELETE FROM plain WHERE lid = 6;
INSERT INTO plain (lid, price, dt) VALUES (7000, 1, '1999-01-01');
ROLLBACK TO a;
UPDATE plain SET price = 123 WHERE lid = 7;
SAVEPOINT b;
INSERT INTO plain (lid, price, dt) VALUES (7001, 1, '1999-01-01');
RELEASE b;
DELETE FROM plain WHERE lid = 7001;
INSERT INTO plain (lid, price, dt) VALUES (7001, 2, '1999-01-02');
COMMIT;
BEGIN;
DELETE FROM plain;
ROLLBACK;
SELECT differences('plain');

-- 10 leaves, and rows that move between partitions
INSERT INTO parted_1 (lid, price, dt, k) VALUES (90, 1, '2020-01-01', 1), (1, 0.0001, '2000-01-01', 1);
INSERT INTO parted_2a (lid, price, dt, k) VALUES (90, 2, '2020-01-02', 2);
COPY parted_2 (lid, price, dt, k) FROM stdin;
91	3	2029-01-01	2
\.
UPDATE parted SET k = 3 - k WHERE lid < 40;
UPDATE parted_1 SET price = 9 WHERE lid = 90;
DELETE FROM parted_2 WHERE lid = 90;
SELECT differences('parted');

-- 11 session_replication_role = replica
SET session_replication_role = replica;
INSERT INTO plain (lid, price, dt) VALUES (8000, 1, '2020-01-01');
DELETE FROM plain WHERE lid = 1;
INSERT INTO parted (lid, price, dt, k) VALUES (8000, 1, '2020-01-01', 1);
RESET session_replication_role;
SELECT p, differences(p) FROM unnest(ARRAY['plain', 'parted']) p;

-- 12 a new partition is watched at once; an empty one may come and go
CREATE TABLE parted_2b PARTITION OF parted_2 FOR VALUES IN (3);
INSERT INTO parted_2b (lid, price, dt, k) VALUES (92, 3, '2020-01-01', 3);
INSERT INTO parted (lid, price, dt, k) VALUES (92, 4, '2020-01-02', 3);
CREATE TABLE parted_4 (LIKE parted);
ALTER TABLE parted ATTACH PARTITION parted_4 FOR VALUES IN (4);
ALTER TABLE parted DETACH PARTITION parted_4;
INSERT INTO parted_4 (lid, price, dt, k) VALUES (93, 4, '2020-01-02', 4);
SELECT differences('parted');
-- 13 one with rows is a gap; a fold closes it
ALTER TABLE parted ATTACH PARTITION parted_4 FOR VALUES IN (4);
SELECT differences('parted');
CALL fold('parted');
SELECT differences('parted');
ALTER TABLE parted DETACH PARTITION parted_4;
SELECT differences('parted');
CALL fold('parted');
DROP TABLE parted_2b;
SELECT differences('parted');
CALL fold('parted');
SELECT differences('parted');
SELECT tgrelid::regclass, count(*) FROM pg_trigger WHERE tgfoid = 'etl.fold_price_events'::regproc GROUP BY 1 ORDER BY tgrelid::regclass::text COLLATE "C";

-- The same on partitions and through other doors: ON CONFLICT, MERGE, CTEs, cascades
DELETE FROM parted a USING parted b WHERE (a.lid, a.dt, a.k, a.price) = (b.lid, b.dt, b.k, b.price) AND (a.tableoid, a.ctid) > (b.tableoid, b.ctid);
CREATE UNIQUE INDEX parted_key ON parted (lid, dt, k, price);
INSERT INTO parted (lid, price, dt, k) VALUES (94, 1, '2020-01-01', 1), (94, 2, '2020-01-02', 2), (95, 3, '2020-01-03', 1), (96, 4, '2020-01-04', 2), (97, 5, '2020-01-05', 1);
INSERT INTO parted (lid, price, dt, k) VALUES (94, 1, '2020-01-01', 1), (94, 2, '2020-01-02', 2), (98, 6, '2020-01-06', 2)
    ON CONFLICT (lid, dt, k, price) DO UPDATE SET price = parted.price + 50, dt = parted.dt - 5000;
INSERT INTO parted (lid, price, dt, k) VALUES (95, 3, '2020-01-03', 1) ON CONFLICT DO NOTHING;
SELECT differences('parted');
MERGE INTO parted p USING (VALUES (94, 1), (95, 2), (96, 3), (5001, 4)) v (lid, act) ON p.lid = v.lid
    WHEN MATCHED AND v.act = 1 THEN DELETE
    WHEN MATCHED AND v.act = 3 THEN UPDATE SET k = 3 - k, price = 44
    WHEN MATCHED THEN UPDATE SET price = p.price * 2, dt = p.dt + 4000
    WHEN NOT MATCHED THEN INSERT (lid, price, dt, k) VALUES (v.lid, 77, '2020-07-07', 2);
SELECT differences('parted');
WITH gone AS (DELETE FROM parted_1 WHERE lid = 95 RETURNING lid, price, dt), moved AS (UPDATE parted SET lid = 6001, k = 1 WHERE lid = 5001 RETURNING 1)
INSERT INTO parted (lid, price, dt, k) SELECT lid, price + 1, dt + 1, 2 FROM gone;
SELECT differences('parted');
CREATE TABLE site (lid bigint PRIMARY KEY);
INSERT INTO site SELECT DISTINCT lid FROM parted;
ALTER TABLE parted ADD CONSTRAINT parted_site FOREIGN KEY (lid) REFERENCES site ON DELETE CASCADE ON UPDATE CASCADE;
DELETE FROM site WHERE lid BETWEEN 20 AND 25;
UPDATE site SET lid = lid + 100000 WHERE lid BETWEEN 26 AND 28;
ALTER TABLE parted DROP CONSTRAINT parted_site;
ALTER TABLE parted ADD CONSTRAINT parted_site FOREIGN KEY (lid) REFERENCES site ON DELETE SET NULL;
DELETE FROM site WHERE lid BETWEEN 29 AND 31;
SELECT differences('parted');
ALTER TABLE parted DROP CONSTRAINT parted_site;
-- views, rules, triggers that change a row or write the log once more, cursors, exceptions, several statements in one
CREATE VIEW door AS SELECT lid, price, dt FROM plain;
INSERT INTO door VALUES (60, 6, '2020-06-06'), (1, 0.002, '2010-01-01');
UPDATE door SET price = price + 7 WHERE lid = 60;
DELETE FROM door WHERE lid = 1 AND price = 0.002;
CREATE TABLE inbox (lid bigint, price numeric(12,2), dt date);
CREATE RULE forward AS ON INSERT TO inbox DO ALSO INSERT INTO plain (lid, price, dt) VALUES (new.lid, new.price, new.dt);
INSERT INTO inbox VALUES (61, 6, '2020-06-06'), (62, 6, '2020-06-06');
CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.note = 'bend' THEN
        new.price := new.price + 0.5;
        new.lid := new.lid + 1;
    END IF;
    RETURN CASE WHEN new.note = 'drop' THEN NULL ELSE new END;
END $$;
CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.note = 'echo' THEN
        INSERT INTO plain (lid, price, dt) VALUES (new.lid, new.price * 100, new.dt + 100);
        DELETE FROM plain WHERE lid = new.lid + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER bend BEFORE INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION bend();
CREATE TRIGGER echo AFTER INSERT ON plain FOR EACH ROW EXECUTE FUNCTION echo();
INSERT INTO plain (lid, price, dt, note) VALUES (63, 6, '2020-06-06', 'bend'), (64, 6, '2020-06-06', 'echo'), (65, 7, '2020-06-06', NULL), (66, 8, '2020-06-06', 'drop');
UPDATE plain SET note = 'bend' WHERE lid IN (61, 62);
SELECT differences('plain');
DROP TRIGGER bend ON plain;
DROP TRIGGER echo ON plain;
DO $$
DECLARE
    c CURSOR FOR SELECT * FROM plain WHERE lid IN (60, 64) FOR UPDATE;
    r record;
BEGIN
    FOR r IN c LOOP
        UPDATE plain SET price = 1 WHERE CURRENT OF c;
        BEGIN
            DELETE FROM plain WHERE lid = 5;
            PERFORM 1 / 0;
        EXCEPTION WHEN division_by_zero THEN
            INSERT INTO plain (lid, price, dt) VALUES (r.lid, 0.1, '2031-01-01');
        END;
    END LOOP;
END $$;
SELECT differences('plain');
DROP VIEW door;
DROP RULE forward ON inbox;
-- a statement's own triggers and functions that take back what it has just written, before its statement trigger fires
CREATE FUNCTION newest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM plain WHERE lid = new.lid;
    RETURN new;
END $$;
CREATE TRIGGER newest BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION newest();
INSERT INTO plain (lid, price, dt) VALUES (69, 1, '2020-01-01'), (69, 900, '2021-01-01'), (69, 8, '2020-06-01');
SELECT differences('plain');
DROP TRIGGER newest ON plain;
CREATE FUNCTION sweep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM plain WHERE price > 5000 AND lid = 70;
    UPDATE plain SET price = 50, lid = 71 WHERE price = 4000;
    RETURN NULL;
END $$;
CREATE TRIGGER a_sweep AFTER INSERT OR UPDATE ON plain FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION sweep();
INSERT INTO plain (lid, price, dt) VALUES (70, 5001, '2020-01-01'), (70, 4000, '2020-01-01'), (70, 3000, '2020-01-01');
UPDATE plain SET price = price * 2 WHERE lid = 70;
UPDATE plain SET price = 4000 WHERE lid = 69;
COPY plain (lid, price, dt) FROM stdin;
72	4000	2029-01-01
70	11111	2029-01-02
\.
SELECT differences('plain');
DROP TRIGGER a_sweep ON plain;
CREATE FUNCTION take(of bigint) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    taken numeric;
BEGIN
    DELETE FROM plain WHERE lid = of AND price > 1000 RETURNING price INTO taken;
    RETURN COALESCE(taken, 2000) + 1;
END $$;
INSERT INTO plain (lid, price, dt) SELECT 73, take(73), '2020-01-01' FROM generate_series(1, 3);
SELECT differences('plain');
-- a partition made by CREATE SCHEMA, and one detached while others go on
CREATE SCHEMA watch_paths_2 CREATE TABLE parted_5 PARTITION OF watch_paths.parted FOR VALUES IN (5);
INSERT INTO watch_paths_2.parted_5 (lid, price, dt, k) VALUES (5, 1000000, '2032-01-01', 5);
SELECT differences('parted');
ALTER TABLE parted DETACH PARTITION watch_paths_2.parted_5 CONCURRENTLY;
SELECT differences('parted');
INSERT INTO watch_paths_2.parted_5 (lid, price, dt, k) VALUES (5, 2000000, '2033-01-01', 5);
DROP SCHEMA watch_paths_2 CASCADE;
CALL fold('parted');
SELECT differences('parted');
-- children by inheritance, with columns of their own in another order
CREATE TABLE child (dt date, own text, price numeric(12,2), lid bigint, id bigint NOT NULL, note text);
INSERT INTO child (id, lid, price, dt) VALUES (1, 68, 3, '2020-01-01');
ALTER TABLE child INHERIT plain;
SELECT differences('plain');
CALL fold('plain');
INSERT INTO child (id, lid, price, dt) VALUES (2, 68, 2000, '2029-01-01'), (3, 1, 0.001, '1990-01-01');
UPDATE plain SET price = price + 1 WHERE lid IN (1, 68);
DELETE FROM plain WHERE lid = 68 AND price > 2000;
UPDATE ONLY plain SET price = price + 1 WHERE lid = 1;
SELECT differences('plain');
ALTER TABLE child NO INHERIT plain;
SELECT differences('plain');
DROP TABLE child;
CALL fold('plain');
SELECT differences('plain');
-- DDL that event triggers did not see, as in single-user mode, shows all the same
ALTER EVENT TRIGGER pg_etl_follow_watched DISABLE;
CREATE TABLE parted_7 PARTITION OF parted FOR VALUES IN (7);
DROP TABLE parted_7;
SELECT differences('parted');
CREATE TABLE parted_6 PARTITION OF parted FOR VALUES IN (6);
INSERT INTO parted_6 (lid, price, dt, k) VALUES (6, 1000000, '2032-01-01', 6);
SELECT differences('parted');
ALTER EVENT TRIGGER pg_etl_follow_watched ENABLE ALWAYS;
SELECT etl_watch_prices('parted');
SELECT differences('parted');
CALL fold('parted');
SELECT differences('parted');
ALTER EVENT TRIGGER pg_etl_follow_watched DISABLE;
DROP TABLE parted_6;
SELECT differences('parted');
ALTER EVENT TRIGGER pg_etl_follow_watched ENABLE ALWAYS;
CALL fold('parted');
SELECT differences('parted');
SELECT etl_watch_prices('parted');
CALL fold('parted');
SELECT differences('parted');

-- 14 TRUNCATE: of a partition a gap, of all not
TRUNCATE parted_1;
SELECT differences('parted');
CALL fold('parted');
TRUNCATE parted;
SELECT differences('parted');
INSERT INTO parted (lid, price, dt, k) VALUES (1, 1, '2020-01-01', 1);
TRUNCATE plain;
SELECT count(*) FROM price_state_plain;
INSERT INTO plain (lid, price, dt) VALUES (1, 1, '2020-01-01');
CREATE TABLE above (id bigint PRIMARY KEY);
INSERT INTO above SELECT id FROM plain;
ALTER TABLE plain ADD CONSTRAINT plain_above FOREIGN KEY (id) REFERENCES above;
TRUNCATE above CASCADE;
ALTER TABLE plain DROP CONSTRAINT plain_above;
SELECT count(*) FROM price_state_plain;
INSERT INTO plain (lid, price, dt) VALUES (1, 1, '2020-01-01');
SELECT p, differences(p) FROM unnest(ARRAY['plain', 'parted']) p;

-- Triggers that are disabled, even for a moment, or dropped; columns and tables that change
BEGIN;
ALTER TABLE plain DISABLE TRIGGER ALL;
INSERT INTO plain (lid, price, dt) VALUES (2, 1, '2020-01-01');
ALTER TABLE plain ENABLE ALWAYS TRIGGER etl_fold_insert;
ALTER TABLE plain ENABLE ALWAYS TRIGGER etl_fold_update;
ALTER TABLE plain ENABLE ALWAYS TRIGGER etl_fold_delete;
ALTER TABLE plain ENABLE ALWAYS TRIGGER etl_fold_truncate;
COMMIT;
SELECT differences('plain');
CALL fold('plain');
SELECT differences('plain');
DROP TRIGGER etl_fold_delete ON plain;
SELECT differences('plain');
CALL fold('plain');
SELECT differences('plain');
SELECT name, relation, state, detail FROM etl_health WHERE name = 'plain' ORDER BY subject, relation;
SELECT etl_watch_prices('plain');
CALL fold('plain');
SELECT differences('plain');
CREATE INDEX ON price_state_plain ((lid + 1));
SELECT differences('plain');
INSERT INTO plain (lid, price, dt) VALUES (3, 1, '2020-01-01');
DROP INDEX price_state_plain_expr_idx;
CALL fold('plain');
ALTER TABLE plain ALTER price TYPE numeric(12,2) USING price * 2;
SELECT differences('plain');
CALL fold('plain');
SELECT differences('plain');
ALTER TABLE plain ALTER price TYPE bigint;
INSERT INTO plain (lid, price, dt) VALUES (4, 1, '2020-01-01');
SELECT state, detail FROM etl_health WHERE subject = 'price state' AND name = 'plain';
ALTER TABLE plain ALTER price TYPE numeric(12,2);

-- Unwatched: true as of now
CALL fold('plain');
SELECT etl_unwatch_prices('plain'), etl_unwatch_prices('plain');
SELECT differences('plain');
INSERT INTO plain (lid, price, dt) VALUES (5, 1, '2020-01-01');
SELECT count(*) FROM etl_check_prices('plain');
SELECT * FROM etl_check_prices('plain', 1000) ORDER BY 1, 2;
-- and as_of, watched again, is current only after a fold
SELECT etl_watch_prices('plain');
DELETE FROM plain WHERE lid = 1;
SELECT state FROM etl_health WHERE name = 'plain' AND subject = 'price state';
CALL fold('plain');
SELECT differences('plain');

-- DROP EXTENSION takes the triggers along, and needs no CASCADE
DROP EXTENSION pg_etl;
SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('plain'::regclass, 'parted'::regclass);
INSERT INTO plain (lid, price, dt) VALUES (6, 1, '2020-01-01');
DROP SCHEMA watch_paths CASCADE;
