-- What statements on captured sources leave in the queue: each changed key once a statement, old and new ones.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA capture_queue;
SET search_path = capture_queue, public;
CREATE TABLE listing (gone int, lid bigint, acc_id int, modified timestamptz, title text, k int) PARTITION BY LIST (k);
ALTER TABLE listing DROP COLUMN gone;
CREATE TABLE listing_1 PARTITION OF listing FOR VALUES IN (1);
CREATE TABLE listing_2 (title text, k int, lid bigint, modified timestamptz, acc_id int) PARTITION BY LIST (k);
CREATE TABLE listing_2a PARTITION OF listing_2 FOR VALUES IN (2);
ALTER TABLE listing ATTACH PARTITION listing_2 FOR VALUES IN (2, 3);
CREATE TABLE customer (name text, acc_id smallint);
CREATE TABLE stat (lid bigint PRIMARY KEY, views int);
CREATE TABLE child (extra text) INHERITS (stat);
CREATE TABLE prices (lid bigint, price numeric, dt date);
CREATE TABLE mapping (lid bigint);
SELECT etl_set_template('small', 'SELECT l.lid, {portal} AS portal, l.title FROM {listing} l JOIN {mapping} m USING (lid)');
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');
SELECT etl_add_make('m', 'mapping', 'mart', template => 'small', portals => '{p}');
SELECT etl_watch_sources('m');
-- What has come into the queue since the last look, a line a transaction, source and column.
CREATE PROCEDURE look(INOUT queued text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
    WITH taken AS (DELETE FROM etl.dirty RETURNING *),
         line AS (SELECT xid, format('%s %s: %s', source::regclass, CASE WHEN by_account THEN 'acc_id' ELSE 'lid' END,
                                     CASE WHEN count(*) > 12 THEN format('%s, %s to %s', count(*), min(key), max(key))
                                          ELSE string_agg(key::text, ' ' ORDER BY key) END) AS queued
                  FROM taken GROUP BY xid, source, by_account)
    SELECT string_agg(line.queued, E'\n' ORDER BY xid, line.queued) FROM line INTO queued;
END $$;
CALL look();

INSERT INTO listing VALUES (1, 10, now(), 'a', 1), (2, 20, now(), 'b', 2), (NULL, 30, now(), 'c', 1), (1, 10, now(), 'd', 1);
CALL look();
INSERT INTO listing_2a (lid, k) VALUES (5, 2), (-9223372036854775808, 2), (9223372036854775807, 2);
CALL look();
INSERT INTO customer VALUES ('x', 7), ('y', -8), ('z', NULL);
CALL look();
-- ... changed keys, other columns, nothing at all, rows that go to another partition
UPDATE listing SET lid = 3 WHERE lid = 1;
CALL look();
UPDATE listing SET title = 'new' WHERE lid = 3;
CALL look();
UPDATE listing SET title = title, lid = lid;
CALL look();
UPDATE listing SET k = 2 WHERE lid = 3;
CALL look();
UPDATE listing SET lid = NULL WHERE lid = 5;
UPDATE listing SET lid = 6 WHERE lid IS NULL;
CALL look();
DELETE FROM listing WHERE lid < 5;
CALL look();
-- ... statements of several kinds
INSERT INTO stat VALUES (1, 1), (2, 2);
INSERT INTO stat VALUES (2, 9), (3, 9) ON CONFLICT (lid) DO UPDATE SET views = excluded.views;
CALL look();
MERGE INTO stat s USING (VALUES (1), (4)) v (lid) ON s.lid = v.lid
WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.lid, 0);
CALL look();
WITH d AS (DELETE FROM stat WHERE lid = 2 RETURNING lid) INSERT INTO mapping SELECT lid + 100 FROM d;
CALL look();
INSERT INTO child VALUES (50, 1, 'x');
UPDATE stat SET views = 7 WHERE lid = 50;
DELETE FROM ONLY child;
CALL look();
COPY mapping FROM STDIN;
7
8
7
\.
CALL look();
-- ... many keys, more than one batch and page; and many columns of them toasted
INSERT INTO mapping SELECT (i * 7919) % 100000 FROM generate_series(1, 100000) i;
CALL look();
INSERT INTO stat SELECT i, i FROM generate_series(1000, 1020) i;
CALL look();
INSERT INTO listing SELECT i, i, now(), repeat(md5(i::text), 500), 1 FROM generate_series(100, 103) i;
ALTER TABLE listing_1 ALTER title SET STORAGE EXTERNAL;
UPDATE listing SET title = repeat(md5(lid::text), 600) WHERE lid = 101;
CALL look();
UPDATE listing SET title = title WHERE lid = 101;
UPDATE listing SET acc_id = 7 WHERE lid = 101;
CALL look();
-- ... rolled back, in part or as a whole; within one transaction each statement counts
BEGIN;
INSERT INTO mapping VALUES (1);
SAVEPOINT s;
INSERT INTO mapping VALUES (2);
ROLLBACK TO s;
INSERT INTO mapping VALUES (3);
COMMIT;
BEGIN;
INSERT INTO mapping VALUES (4);
ROLLBACK;
CALL look();
SET session_replication_role = replica;
INSERT INTO mapping VALUES (5);
RESET session_replication_role;
CALL look();
-- ... TRUNCATE, which says nothing of keys
SELECT count(*) FROM etl.source_gap WHERE NOT is_start;
TRUNCATE listing_1;
TRUNCATE stat;
CALL look();
SELECT source::regclass, cause FROM etl.source_gap WHERE NOT is_start ORDER BY 2;

-- Listings and sellers of one table are queued by both columns; a source of two makes, once
CREATE TABLE one_table (lid bigint, acc_id bigint, title text);
SELECT etl_add_portal('b', 'one_table', 'one_table', 'stat', 'prices');
SELECT etl_add_make('n', 'mapping', 'mart_n', template => 'small', portals => '{b}');
SELECT etl_watch_sources('m'), etl_watch_sources('n');
INSERT INTO one_table VALUES (1, 2);
INSERT INTO mapping VALUES (9);
CALL look();
SELECT source, by_lid, by_account FROM etl.captured_source ORDER BY source::text;
-- ... until they are needed no more
SELECT etl_unwatch_sources('m');
INSERT INTO mapping VALUES (10);
CALL look();
SELECT etl_unwatch_sources('n');
INSERT INTO mapping VALUES (11);
CALL look();
SELECT (SELECT count(*) FROM etl.captured_source), (SELECT count(*) FROM etl.captured_relation), (SELECT count(*) FROM etl.source_gap),
       (SELECT count(*) FROM etl.source_watch), (SELECT count(*) FROM pg_trigger WHERE tgfoid = 'etl.capture_changes'::regproc);

DROP SCHEMA capture_queue CASCADE;
DROP EXTENSION pg_etl;
