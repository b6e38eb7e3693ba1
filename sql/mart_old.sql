-- Only what publishing set aside is ours to drop: a copy of a partition under the name <partition>_old is a user's table.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA mart_old;
SET search_path = mart_old, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt timestamptz);
CREATE TABLE mapping (lid bigint PRIMARY KEY);
INSERT INTO listing SELECT g, g FROM generate_series(1, 100) g;
INSERT INTO mapping SELECT lid FROM listing;
SELECT etl_add_portal('mart_old_a', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('mart_old', 'SELECT l.lid, {make}::text AS make, {portal}::text AS portal, l.acc_id
    FROM {listing} l JOIN {mapping} m ON m.lid = l.lid');
SELECT etl_add_make('mart_old', 'mapping', mart => 'mart_old.mart', template => 'mart_old');
CREATE FUNCTION seed() RETURNS bigint LANGUAGE sql AS $$ SELECT DISTINCT run_id FROM etl_seed('mart_old') $$;
SET client_min_messages = error;
SELECT seed() AS run \gset
CALL etl_wait(:run);
CREATE TABLE mart_mart_old_a_old (LIKE mart_mart_old_a INCLUDING ALL);
INSERT INTO mart_mart_old_a_old SELECT * FROM mart;
\set SHOW_CONTEXT never
SELECT conname FROM pg_constraint WHERE conrelid = 'mart_mart_old_a_old'::regclass AND contype = 'c';
SELECT seed();
SELECT etl_forget_old('mart_old');
SELECT etl_revert(:run);
SELECT count(*) FROM mart_mart_old_a_old;
-- nor one whose comment tells of another portal or another mart
COMMENT ON TABLE mart_mart_old_a_old IS 'Replaced by pg_etl: former partition of mart mart_old.mart for portal ''other'', kept for etl_revert';
SELECT seed();
COMMENT ON TABLE mart_mart_old_a_old IS 'Replaced by pg_etl: former partition of mart mart_old.listing for portal ''mart_old_a'', kept for etl_revert';
SELECT seed();
DROP TABLE mart_mart_old_a_old;

-- ours is known when the mart has got another name, and with a comment of the user's behind ours
COMMENT ON TABLE mart_mart_old_a IS 'first';
SELECT seed() AS run \gset
CALL etl_wait(:run);
SELECT obj_description('mart_mart_old_a_old'::regclass);
ALTER TABLE mart RENAME TO renamed;
SELECT seed() AS run \gset
CALL etl_wait(:run);
SELECT obj_description('mart_mart_old_a_old'::regclass), obj_description('mart_mart_old_a'::regclass);
SELECT etl_revert(:run);
SELECT etl_forget_old('mart_old');
SELECT to_regclass('mart_mart_old_a_old'), (SELECT count(*) FROM renamed);
SET client_min_messages = warning;
DROP EXTENSION pg_etl;
DROP SCHEMA mart_old CASCADE;
