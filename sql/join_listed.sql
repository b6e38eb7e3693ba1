-- Rows of listed keys: as a snapshot sees them, and without a mark on the pages that they are on.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA join_listed;
SET search_path = join_listed, public;
CREATE TABLE a (lid bigint PRIMARY KEY, v int, w int) WITH (autovacuum_enabled = off, fillfactor = 60);
CREATE INDEX ON a (w);
CREATE TABLE b (lid bigint PRIMARY KEY, v int) WITH (autovacuum_enabled = off);
INSERT INTO a SELECT l, l, 0 FROM generate_series(1, 2000) l;
INSERT INTO b SELECT l, 1 FROM generate_series(1, 2000) l;
VACUUM ANALYZE a, b;
CREATE VIEW joined AS SELECT a.lid, a.v AS a, a.w, b.v AS b FROM a JOIN b ON b.lid = a.lid;

-- The query with each way to join; how many pages the first one wrote marks on, and whether both give the same.
CREATE FUNCTION read_listed(condition text, OUT listed boolean, OUT dirtied boolean, OUT rows bigint, OUT differing bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan text := '';
    line text;
BEGIN
    SET LOCAL etl.key_join = always;
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM joined WHERE ' || condition LOOP
        EXIT WHEN line LIKE 'Planning:%';
        plan := plan || line;
    END LOOP;
    listed := plan LIKE '%Listed Keys: %';
    dirtied := plan LIKE '%dirtied=%';
    EXECUTE 'CREATE TEMP TABLE ours AS SELECT * FROM joined WHERE ' || condition;
    SET LOCAL etl.key_join = off;
    EXECUTE 'CREATE TEMP TABLE theirs AS SELECT * FROM joined WHERE ' || condition;
    SELECT count(*) INTO rows FROM ours;
    SELECT count(*) INTO differing FROM ((TABLE ours EXCEPT ALL TABLE theirs) UNION ALL (TABLE theirs EXCEPT ALL TABLE ours)) d;
    DROP TABLE ours, theirs;
END
$$;

-- Changed in place once and twice, elsewhere, deleted, locked, and new.
UPDATE a SET v = v + 1 WHERE lid % 10 < 3;
UPDATE a SET v = v + 1 WHERE lid % 10 = 1;
UPDATE a SET w = 1 WHERE lid % 10 = 4;
DELETE FROM a WHERE lid % 10 = 5;
SELECT count(*) FROM (SELECT FROM a WHERE lid % 10 = 6 FOR UPDATE) locked;
UPDATE b SET v = v + 1 WHERE lid % 10 = 7;
INSERT INTO a SELECT l, 0, 0 FROM generate_series(2001, 2500) l;
INSERT INTO b SELECT l, 0 FROM generate_series(2001, 2400) l;
CHECKPOINT;
SELECT * FROM read_listed('lid = ANY (''{1,2,3,4,5,6,7,8,9,10,11,1500,1501,1504,1505,2001,2400,2500,2600}'')');
UPDATE a SET v = v + 1 WHERE lid BETWEEN 1001 AND 1300;
DELETE FROM b WHERE lid BETWEEN 1201 AND 1300;
CHECKPOINT;
SELECT * FROM read_listed('lid = ANY (' || quote_literal((SELECT array_agg(l) FROM generate_series(1000, 1400, 10) l)) || ')');
-- Whoever reads a range leaves marks.
UPDATE a SET v = v + 1 WHERE lid BETWEEN 1401 AND 1500;
CHECKPOINT;
SELECT * FROM read_listed('lid BETWEEN 1401 AND 1500');

-- What was rolled back, and what the transaction itself has done.
BEGIN;
UPDATE a SET v = -1 WHERE lid BETWEEN 100 AND 200;
DELETE FROM b WHERE lid BETWEEN 150 AND 250;
INSERT INTO a SELECT l, 0, 0 FROM generate_series(2501, 2600) l;
ROLLBACK;
SELECT * FROM read_listed('lid = ANY (' || quote_literal((SELECT array_agg(l) FROM generate_series(90, 260, 5) l)) || ')');
BEGIN;
UPDATE a SET v = -1 WHERE lid BETWEEN 300 AND 400;
SAVEPOINT s;
UPDATE a SET v = -2 WHERE lid BETWEEN 350 AND 450;
DELETE FROM b WHERE lid BETWEEN 400 AND 500;
ROLLBACK TO s;
SELECT count(*) FROM (SELECT FROM a WHERE lid BETWEEN 300 AND 350 FOR SHARE) locked;
SAVEPOINT t;
UPDATE a SET w = -3 WHERE lid BETWEEN 320 AND 330;
RELEASE t;
SELECT * FROM read_listed('lid = ANY (' || quote_literal((SELECT array_agg(l) FROM generate_series(290, 510, 5) l)) || ')');
COMMIT;
SELECT * FROM read_listed('lid = ANY (' || quote_literal((SELECT array_agg(l) FROM generate_series(290, 510, 5) l)) || ')');
-- More than the index names on one page, and than the memory notes one by one.
SET work_mem = '64kB';
SELECT * FROM read_listed('lid = ANY (' || quote_literal((SELECT array_agg(l) FROM generate_series(0, 3000, 2) l)) || ')');
DROP SCHEMA join_listed CASCADE;
