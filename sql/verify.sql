-- etl_verify and etl_differences at a prompt: what is refused, whose rights, what is found and how it is shown.
\set SHOW_CONTEXT never
SET client_min_messages = error; -- as_of, whose time is never the same
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA verify;
SET search_path = verify, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, title text, price numeric, tags text[], modified timestamptz DEFAULT '2020-01-01');
CREATE TABLE customer (acc_id bigint PRIMARY KEY, modified timestamptz DEFAULT '2020-01-01');
CREATE TABLE stat (lid bigint PRIMARY KEY, views int, modified timestamptz DEFAULT '2020-01-01');
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, model text, modified timestamptz DEFAULT '2020-01-01');
INSERT INTO listing (lid, acc_id, title, price, tags) SELECT i, 1, 'car ' || i, i * 1.50, ARRAY['a', NULL, i::text] FROM generate_series(1, 40) i;
INSERT INTO stat SELECT i, nullif(i % 5, 3) FROM generate_series(1, 40) i;
INSERT INTO mapping SELECT i, 'golf' FROM generate_series(1, 40) i;
INSERT INTO customer VALUES (1);
SELECT etl_add_portal('first', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('verify', 'SELECT l.lid, {portal} AS portal, {make} AS make, l.title, l.price, l.tags, m.model, s.views
    FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {stat} s ON s.lid = l.lid');
SELECT etl_add_make('m', 'mapping', 'verify.mart', template => 'verify');
ALTER TABLE mart ADD remark text;

-- Refused
SELECT * FROM etl_verify(NULL);
SELECT * FROM etl_verify('m', NULL);
SELECT * FROM etl_verify('m', 'digest', NULL);
SELECT * FROM etl_verify('m', 'Digest');
SELECT * FROM etl_verify('m', '');
SELECT * FROM etl_verify('n');
SELECT * FROM etl_verify('m', 'all');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM etl_verify('m');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM etl_differences(NULL);
SELECT * FROM etl_differences(4711);
BEGIN READ ONLY;
SELECT * FROM etl_verify('m');
ROLLBACK;

SELECT DISTINCT run_id AS seed FROM etl_seed('m', chunk_rows => 10) \gset
CALL etl_wait(:seed);
SELECT * FROM etl_differences(:seed);
SELECT count(*), sum(rows), count(DISTINCT digest) FROM etl.digest;

-- One run at a time, and of one kind; a request that says the same joins it. Rolled back, so that nothing starts.
BEGIN;
SELECT portal, chunks, estimated_rows, state FROM etl_verify('m', level => 'count');
SELECT count(*) FROM etl_verify('m', 'count');
SAVEPOINT s;
SELECT count(*) FROM etl_verify('m', 'source');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
SELECT count(*) FROM etl_verify('m', 'count', repair => true);
ROLLBACK;
SELECT count(*) FROM etl.run WHERE kind = 'verify';

-- What is found
CREATE PROCEDURE found(level text, repair boolean DEFAULT false) LANGUAGE plpgsql AS $$
DECLARE
    run bigint := (SELECT run_id FROM etl_verify('m', level, repair));
    line text;
BEGIN
    COMMIT;
    WHILE EXISTS (SELECT FROM etl_runs WHERE run_id = run AND state IN ('queued', 'running')) LOOP
        PERFORM pg_sleep(0.01);
        COMMIT;
    END LOOP;
    RAISE INFO '% %: %, % rows', level, repair, (SELECT state FROM etl_runs WHERE run_id = run), (SELECT rows FROM etl_runs WHERE run_id = run);
    FOR line IN SELECT concat_ws(' | ', portal, lid, COALESCE(column_name, '(row)'), COALESCE(mart_value, 'NULL'), COALESCE(source_value, 'NULL')) FROM etl_differences(run) LOOP
        RAISE INFO '%', line;
    END LOOP;
END $$;
CALL found('count');
CALL found('summary');
CALL found('digest');
CALL found('source');
DELETE FROM mart WHERE lid IN (3, 40);
UPDATE mart SET price = price + 0.00, title = NULL WHERE lid = 7;
UPDATE mart SET price = '1.500' WHERE lid = 1;
UPDATE mart SET tags = tags || 'b'::text, views = -1 WHERE lid = 22;
UPDATE mart SET remark = 'not from a source';
INSERT INTO mart (lid, portal, make, title) VALUES (9, 'first', 'other', 'twice'), (-1, 'first', 'm', 'a "quoted", one'), (9223372036854775807, 'first', 'm', NULL);
CALL found('count');
CALL found('summary');
CALL found('digest');
CALL found('source', true);
CALL found('source');
CALL found('digest');
SELECT count(*), count(remark) FROM mart;
SELECT sum(rows) FROM etl.digest;
-- Without the marks of a seed there is nothing to compare with; with a source that is gone it fails by name.
DROP TABLE stat CASCADE;
CALL found('digest');

-- Rights: of the make's owner. What a mart holds is not for those who may only see runs.
CREATE ROLE regress_verify_stranger;
GRANT USAGE ON SCHEMA verify TO regress_verify_stranger;
SELECT max(run_id) AS run FROM etl_runs WHERE kind = 'verify' \gset
SET ROLE regress_verify_stranger;
SELECT * FROM etl_verify('m');
SELECT * FROM etl_differences(:run);
SELECT * FROM etl.difference;
SELECT * FROM etl.digest;
RESET ROLE;
GRANT EXECUTE ON FUNCTION etl_verify, etl_differences TO regress_verify_stranger;
GRANT pg_monitor TO regress_verify_stranger;
SET ROLE regress_verify_stranger;
SELECT * FROM etl_verify('m');
SELECT * FROM etl_differences(:run);
RESET ROLE;

-- Differences go with their run.
SELECT count(*) > 0 AS some FROM etl.difference;
DELETE FROM etl.run WHERE kind = 'verify';
SELECT count(*) FROM etl.difference;
REVOKE ALL ON FUNCTION etl_verify, etl_differences FROM regress_verify_stranger;
DROP SCHEMA verify CASCADE;
DROP EXTENSION pg_etl;
REVOKE pg_monitor FROM regress_verify_stranger;
DROP ROLE regress_verify_stranger;
