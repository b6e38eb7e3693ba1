-- Staging tables go with their make, where their run was not published; what was published never goes as one.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA mart_staging;
SET search_path = mart_staging, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt timestamptz);
CREATE TABLE mapping (lid bigint PRIMARY KEY);
INSERT INTO listing SELECT g, g FROM generate_series(1, 100) g;
INSERT INTO mapping SELECT lid FROM listing;
SELECT etl_add_portal('mart_staging_a', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('mart_staging', 'SELECT l.lid, {make}::text AS make, {portal}::text AS portal, l.acc_id
    FROM {listing} l JOIN {mapping} m ON m.lid = l.lid');
SELECT etl_add_make('mart_staging', 'mapping', mart => 'mart_staging.mart', template => 'mart_staging');
CREATE FUNCTION seed() RETURNS bigint LANGUAGE sql AS $$ SELECT DISTINCT run_id FROM etl_seed('mart_staging') $$;
CREATE VIEW stagings AS SELECT regexp_replace(relname, '_r\d+$', '_rN') AS relname, relowner = current_user::regrole AS mine
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'mart_staging'::regnamespace AND relname LIKE 'mart%';
SET client_min_messages = error;
SELECT seed() AS first \gset
CALL etl_wait(:first);
SELECT seed() AS second \gset
CALL etl_wait(:second);
-- as if the statistics of the first had not been gathered, after it was published; the next request tidies up
UPDATE etl.run SET state = 'failed' WHERE run_id = :first;
BEGIN;
SELECT seed() AS third \gset
SELECT etl_cancel(:third);
COMMIT;
RESET client_min_messages;
SELECT * FROM stagings ORDER BY relname COLLATE "C";
SELECT etl_drop_make('mart_staging');
SELECT * FROM stagings ORDER BY relname COLLATE "C";

-- a table that is not the owner's, or that carries no comment of ours any more, stays
SET client_min_messages = warning;
DROP TABLE mart_mart_staging_a_old;
CREATE ROLE regress_mart_else;
GRANT CREATE, USAGE ON SCHEMA mart_staging TO regress_mart_else;
SELECT etl_add_make('mart_staging', 'mapping', mart => 'mart_staging.mart', template => 'mart_staging');
SET client_min_messages = error;
BEGIN;
SELECT seed() AS run \gset
SELECT etl_cancel(:run);
COMMIT;
SELECT staging::regclass AS staging FROM etl.run_portal WHERE run_id = :run \gset
ALTER TABLE :staging OWNER TO regress_mart_else;
SELECT etl_drop_make('mart_staging');
SELECT * FROM stagings ORDER BY relname COLLATE "C";
DROP TABLE :staging;
SELECT etl_add_make('mart_staging', 'mapping', mart => 'mart_staging.mart', template => 'mart_staging');
BEGIN;
SELECT seed() AS run \gset
SELECT etl_cancel(:run);
COMMIT;
SELECT staging::regclass AS staging FROM etl.run_portal WHERE run_id = :run \gset
COMMENT ON TABLE :staging IS 'mine now';
SELECT etl_drop_make('mart_staging');
SELECT * FROM stagings ORDER BY relname COLLATE "C";
-- a row that is another portal's is refused as it comes, and not after all of them are there
SELECT etl_set_template('mart_staging_odd', 'SELECT l.lid, {make}::text AS make, CASE WHEN l.lid = 7
    THEN ''elsewhere'' ELSE {portal}::text END AS portal, l.acc_id FROM {listing} l JOIN {mapping} m ON m.lid = l.lid');
SELECT etl_add_make('mart_staging', 'mapping', mart => 'mart_staging.mart', template => 'mart_staging_odd');
SELECT seed() AS run \gset
\set VERBOSITY sqlstate
CALL etl_wait(:run);
SELECT kind, sqlstate, regexp_replace(error, '_r\d+', '_rN') AS error FROM etl_tasks WHERE run_id = :run AND state = 'failed';
SET client_min_messages = warning;
DROP EXTENSION pg_etl;
DROP SCHEMA mart_staging CASCADE;
DROP ROLE regress_mart_else;
