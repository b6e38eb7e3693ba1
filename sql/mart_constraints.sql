-- A mart's key and unique constraints: index tasks, which run side by side, build indexes only; the check, which is alone,
-- makes constraints of them.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA mart_constraints;
SET search_path = mart_constraints, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt timestamptz);
CREATE TABLE mapping (lid bigint PRIMARY KEY);
INSERT INTO listing SELECT g, g FROM generate_series(1, 100) g;
INSERT INTO mapping SELECT lid FROM listing;
SELECT etl_add_portal('mart_constraints_a', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('mart_constraints', 'SELECT l.lid, {make}::text AS make, {portal}::text AS portal, l.acc_id
    FROM {listing} l JOIN {mapping} m ON m.lid = l.lid');
CREATE TABLE mart (lid bigint, make text, portal text, acc_id bigint, PRIMARY KEY (lid, portal),
    UNIQUE (acc_id, portal), UNIQUE (lid, make, portal) DEFERRABLE INITIALLY DEFERRED) PARTITION BY LIST (portal);
CREATE UNIQUE INDEX mart_bare ON mart (acc_id, portal);
SELECT etl_add_make('mart_constraints', 'mapping', mart => 'mart_constraints.mart', template => 'mart_constraints');
RESET client_min_messages;
SELECT kind, string_to_table(regexp_replace(sql, '_r\d+', '_rN', 'g'), '; ') AS statement
FROM etl_plan('mart_constraints') WHERE kind IN ('index', 'check');

SET client_min_messages = error;
CREATE VIEW constraints AS
SELECT c.conrelid::regclass AS partition, c.conname, c.contype, c.condeferrable, c.condeferred, p.conname AS parent
FROM pg_constraint c LEFT JOIN pg_constraint p ON p.oid = c.conparentid
WHERE c.contype IN ('p', 'u') AND c.conrelid::regclass::text LIKE 'mart\_%';
SELECT DISTINCT run_id AS run FROM etl_seed('mart_constraints', workers => 2) \gset
CALL etl_wait(:run);
SELECT kind, state, count(*), max(attempts) AS attempts FROM etl_tasks WHERE run_id = :run AND kind IN ('index', 'check')
GROUP BY kind, state ORDER BY kind;
SELECT * FROM constraints ORDER BY conname COLLATE "C";
-- a constraint that the replaced partition lacks is made of the index that it has
SELECT DISTINCT run_id AS run FROM etl_seed('mart_constraints', workers => 2) \gset
CALL etl_wait(:run);
ALTER TABLE mart_mart_constraints_a_old DROP CONSTRAINT mart_mart_constraints_a_acc_id_portal_key_old;
CREATE UNIQUE INDEX kept ON mart_mart_constraints_a_old (acc_id, portal);
SELECT etl_revert(:run);
SELECT * FROM constraints ORDER BY partition::text COLLATE "C", conname COLLATE "C";
SELECT count(*) AS indexes FROM pg_index WHERE indrelid = 'mart_mart_constraints_a'::regclass;
SELECT inhparent::regclass AS parent, count(*) FROM pg_inherits WHERE inhrelid IN (SELECT indexrelid FROM pg_index
    WHERE indrelid = 'mart_mart_constraints_a'::regclass) GROUP BY inhparent ORDER BY inhparent::regclass::text COLLATE "C";
SELECT count(*) FROM mart;
SET client_min_messages = warning;
DROP EXTENSION pg_etl;
DROP SCHEMA mart_constraints CASCADE;
