-- etl_sync and etl_restate at a prompt: what they refuse, what they tell, and templates of other shapes than the shipped one.
\set SHOW_CONTEXT never
SET client_min_messages = error;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
DROP SCHEMA IF EXISTS sync_requests CASCADE;
CREATE SCHEMA sync_requests;
SET search_path = sync_requests, public;
-- Changes of one second are not to be found again by the next sync.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET etl.sync_overlap = 0', current_database()); END $$;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, "row" text, seen timestamptz, modified timestamp);
CREATE TABLE customer (acc_id bigint PRIMARY KEY, name text, modified timestamptz NOT NULL);
CREATE TABLE stat (lid bigint PRIMARY KEY, views int, modified date);
CREATE TABLE prices (lid bigint, price numeric, dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, model text, modified timestamptz);
INSERT INTO listing SELECT i, i % 3, 'title ' || i, '2021-01-01', '2020-01-01' FROM generate_series(1, 9) i;
INSERT INTO customer SELECT i, 'customer ' || i, '2020-01-01' FROM generate_series(0, 2) i;
INSERT INTO stat SELECT i, i, '2020-01-01' FROM generate_series(1, 9) i;
INSERT INTO mapping SELECT i, 'Golf', '2020-01-01' FROM generate_series(1, 8) i;
SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('joins', 'SELECT m.lid, {portal}::text AS portal, l."row", c.name, s.views, m.model, NULL::text AS "f"
    FROM {mapping} m JOIN {listing} l ON l.lid = m.lid LEFT JOIN {customer} c ON c.acc_id = l.acc_id AND c.name <> ''hidden''
    LEFT JOIN {stat} s ON s.lid = m.lid WHERE m.model IS NOT NULL');
SELECT etl_add_make('vw', 'mapping', 'sync_requests.mart', template => 'joins');

CREATE FUNCTION synced(OUT written bigint, OUT missing bigint, OUT wrong bigint) LANGUAGE sql AS $$
    SELECT (SELECT sum(rows) FROM etl.task WHERE kind = 'sync' AND run_id = (SELECT max(run_id) FROM etl.run)),
           (SELECT count(*) FROM (TABLE etl.vw_mobile EXCEPT ALL TABLE mart) d),
           (SELECT count(*) FROM (TABLE mart EXCEPT ALL TABLE etl.vw_mobile) d) $$;

-- What is refused.
SELECT * FROM etl_sync(NULL);
SELECT * FROM etl_sync('nobody');
SELECT * FROM etl_sync('vw', 0);
SELECT * FROM etl_sync('vw');
SELECT * FROM etl_restate('vw', 'mobile', NULL, NULL);
SELECT max(run_id) AS run FROM etl_seed('vw') \gset
CALL etl_wait(:run);
SELECT * FROM etl_restate(NULL, 'mobile', NULL, NULL);
SELECT * FROM etl_restate('vw', NULL, NULL, NULL);
SELECT * FROM etl_restate('vw', 'nowhere', NULL, NULL);
SELECT * FROM etl_restate('vw', 'mobile', 5, 5);
CREATE ROLE sync_stranger LOGIN;
GRANT EXECUTE ON FUNCTION etl_sync, etl_restate TO sync_stranger;
SET ROLE sync_stranger;
SELECT * FROM etl_sync('vw');
SELECT * FROM etl_restate('vw', 'mobile', NULL, NULL);
RESET ROLE;
BEGIN READ ONLY;
SELECT * FROM etl_sync('vw');
ROLLBACK;

-- Nothing has changed; then something in each, an outer join's partner that goes included.
SELECT portal, chunks, estimated_rows, state FROM etl_sync('vw');
SELECT max(run_id) AS run FROM etl_runs \gset
CALL etl_wait(:run);
SELECT * FROM synced();
UPDATE listing SET "row" = 'other', modified = clock_timestamp() AT TIME ZONE current_setting('TimeZone') WHERE lid = 1;
UPDATE customer SET name = 'hidden', modified = clock_timestamp() WHERE acc_id = 2;
UPDATE stat SET views = 0, modified = 'infinity' WHERE lid = 3;
UPDATE mapping SET model = NULL, modified = NULL WHERE lid = 4;
INSERT INTO mapping VALUES (9, 'Polo', clock_timestamp());
SELECT max(run_id) AS run FROM etl_sync('vw') \gset
CALL etl_wait(:run);
SELECT * FROM synced();
SELECT * FROM mart ORDER BY lid;

-- A range anew: what was done to it by hand is undone, and no more.
UPDATE mart SET name = 'by hand' WHERE lid IN (1, 5, 7);
DELETE FROM mart WHERE lid = 6;
SELECT portal, chunks, state FROM etl_restate('vw', 'mobile', 5, 9);
SELECT max(run_id) AS run FROM etl_runs \gset
CALL etl_wait(:run);
SELECT * FROM synced();
SELECT lid FROM mart WHERE name = 'by hand';
SELECT kind, make, portal, state FROM etl_runs WHERE run_id = :run;
SELECT max(run_id) AS run FROM etl_restate('vw', 'mobile', NULL, NULL) \gset
CALL etl_wait(:run);
SELECT * FROM synced();

-- One that was cancelled is tried again.
UPDATE mart SET name = 'by hand' WHERE lid = 7;
BEGIN;
SELECT max(run_id) AS run FROM etl_restate('vw', 'mobile', 7, 8) \gset
SELECT etl_pause(:run);
COMMIT;
SELECT * FROM etl_restate('vw', 'mobile', 1, 2);
SELECT etl_cancel(:run);
SELECT etl_retry(:run);
CALL etl_wait(:run);
SELECT * FROM synced();

-- Sources that are other ones than they were: everything is compared. A make that is another one: nothing is known of it.
CREATE TABLE listing_new (LIKE listing INCLUDING ALL);
INSERT INTO listing_new SELECT lid, acc_id, 'rebuilt', seen, '2020-01-01' FROM listing;
DROP VIEW etl.vw_mobile;
DROP TABLE listing;
ALTER TABLE listing_new RENAME TO listing;
SELECT etl_refresh_make('vw');
SELECT max(run_id) AS run FROM etl_sync('vw') \gset
CALL etl_wait(:run);
SELECT * FROM synced();
SELECT etl_drop_make('vw');
SELECT etl_add_make('vw', 'mapping', 'sync_requests.mart', template => 'joins');
SELECT * FROM etl_sync('vw');

DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET etl.sync_overlap', current_database()); END $$;
REVOKE ALL ON FUNCTION etl_sync, etl_restate FROM sync_stranger;
DROP ROLE sync_stranger;
DROP EXTENSION pg_etl;
DROP SCHEMA sync_requests CASCADE;
