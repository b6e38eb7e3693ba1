-- A partitioned table is taken over with its partitions; seeds replace them, revert brings them back.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA mart_swap;
SET search_path = mart_swap, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt timestamptz);
CREATE TABLE mapping (lid bigint PRIMARY KEY, model varchar(20) COLLATE "C", modified timestamptz);
SELECT etl_add_portal('mart_swap_a', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('mart_swap', 'SELECT l.lid, {make}::text AS make, {portal}::text AS portal, m.model, l.acc_id
    FROM {listing} l JOIN {mapping} m ON m.lid = l.lid');
RESET client_min_messages;
INSERT INTO listing SELECT g, g FROM generate_series(1, 100) g;
INSERT INTO mapping SELECT g, 'm' FROM generate_series(1, 50) g;
SELECT etl_add_portal('mart_swap_b''\ "x', 'listing', 'customer', 'stat', 'prices');

-- other partitionings, partitions, referenced tables
CREATE TABLE by_range (lid bigint, portal text) PARTITION BY RANGE (portal);
SELECT etl_add_make('mart_swap', 'mapping', mart => 'mart_swap.by_range', template => 'mart_swap');
CREATE TABLE by_two (lid bigint, portal text) PARTITION BY LIST (lower(portal));
SELECT etl_add_make('mart_swap', 'mapping', mart => 'mart_swap.by_two', template => 'mart_swap');
CREATE TABLE above (lid bigint, portal text, PRIMARY KEY (lid, portal)) PARTITION BY LIST (portal);
CREATE TABLE below PARTITION OF above FOR VALUES IN ('x');
SELECT etl_add_make('mart_swap', 'mapping', mart => 'mart_swap.below', template => 'mart_swap');
CREATE TABLE refers (lid bigint, portal text, FOREIGN KEY (lid, portal) REFERENCES above);
SELECT etl_add_make('mart_swap', 'mapping', mart => 'mart_swap.above', template => 'mart_swap');

-- taken over: several values in one partition, a sub-partitioned one, a default, a partition in another schema
CREATE ROLE regress_mart_reader;
CREATE SCHEMA mart_swap_else;
CREATE TABLE mart (lid bigint, make text, portal varchar(60), model text, acc_id bigint,
                   UNIQUE (lid, make, portal)) PARTITION BY LIST (portal);
CREATE TABLE mart_two PARTITION OF mart FOR VALUES IN ('mart_swap_a', 'other');
CREATE TABLE mart_rest PARTITION OF mart DEFAULT;
INSERT INTO mart VALUES (1000, 'mart_swap', 'mart_swap_a');
SELECT etl_add_make('mart_swap', 'mapping', mart => 'mart_swap.mart', template => 'mart_swap');
SELECT etl_seed('mart_swap');
ALTER TABLE mart DETACH PARTITION mart_two;
CREATE TABLE mart_sub PARTITION OF mart FOR VALUES IN ('mart_swap_a') PARTITION BY RANGE (lid);
SELECT etl_seed('mart_swap');
DROP TABLE mart_sub;
INSERT INTO mart VALUES (1000, 'mart_swap', 'mart_swap_a');
SELECT etl_seed('mart_swap');
DELETE FROM mart;
CREATE TABLE mart_swap_else.first PARTITION OF mart FOR VALUES IN ('mart_swap_a');
INSERT INTO mart VALUES (1000, 'mart_swap', 'mart_swap_a');
CREATE TABLE mart_mart_swap_a_old (x int);
SELECT etl_seed('mart_swap');
DROP TABLE mart_mart_swap_a_old;
COMMENT ON TABLE mart_swap_else.first IS 'made by hand';
GRANT SELECT ON mart_swap_else.first TO regress_mart_reader WITH GRANT OPTION;
GRANT UPDATE (model) ON mart_swap_else.first TO PUBLIC;

CREATE FUNCTION seed() RETURNS bigint LANGUAGE sql AS
    $$ SELECT DISTINCT run_id FROM etl_seed('mart_swap', chunk_rows => 20) $$;
CREATE VIEW partitions AS
SELECT c.oid::regclass AS partition, pg_get_expr(c.relpartbound, c.oid) AS bound, obj_description(c.oid) AS comment,
    array(SELECT concat_ws(' ', CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END, x.privilege_type,
                           a.attname, CASE WHEN x.is_grantable THEN 'grantable' END)
          FROM (SELECT NULL::name AS attname, c.relacl AS acl UNION ALL
                SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid) a, aclexplode(a.acl) x
          WHERE x.grantee <> c.relowner ORDER BY 1) AS privileges,
    array(SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = c.oid ORDER BY 1) AS indexes
FROM pg_class c WHERE c.relkind = 'r' AND c.relname ~ '^mart|first' AND c.relnamespace::regnamespace::text ~ '^mart_swap';
SET client_min_messages = error;
SELECT seed() AS run \gset
CALL etl_wait(:run);
RESET client_min_messages;
SELECT portal, count(*) FROM mart GROUP BY portal ORDER BY portal;
SELECT * FROM partitions ORDER BY partition::text COLLATE "C" \gx
SELECT conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'c' AND conname = 'pg_etl_portal' AND connamespace = 'mart_swap'::regnamespace ORDER BY conrelid::regclass::text COLLATE "C";
SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits
WHERE inhparent = 'mart_lid_make_portal_key'::regclass ORDER BY inhrelid::regclass::text COLLATE "C";
SELECT count(*) AS with_options FROM pg_class WHERE relname ~ '^mart_mart_swap' AND reloptions IS NOT NULL;

-- a first seed has nothing to go back to, not even for one of the portals
SELECT etl_revert(:run);
SELECT portal, count(*) FROM mart GROUP BY portal ORDER BY portal;

-- seeded again
DELETE FROM mapping WHERE lid > 10;
CREATE VIEW on_partition AS SELECT lid FROM mart_mart_swap_a;
SET client_min_messages = error;
SELECT seed() AS run \gset
CALL etl_wait(:run);
RESET client_min_messages;
SELECT portal, count(*) FROM mart GROUP BY portal ORDER BY portal;
SELECT count(*) AS view_stays_with_the_old FROM on_partition;
SELECT partition, bound, comment, indexes FROM partitions ORDER BY partition::text COLLATE "C" \gx
SELECT etl_revert(:run);
SELECT portal, count(*) FROM mart GROUP BY portal ORDER BY portal;
SELECT partition, bound, privileges, comment, indexes FROM partitions ORDER BY partition::text COLLATE "C" \gx
SELECT etl_revert(:run);
SELECT portal, count(*) FROM mart GROUP BY portal ORDER BY portal;

-- good-bye to the old ones: something depends on one of them
SELECT etl_forget_old('mart_swap');
DROP VIEW on_partition;
SELECT etl_forget_old('mart_swap');
SELECT partition FROM partitions ORDER BY partition::text COLLATE "C";
SELECT etl_revert(:run);
SET client_min_messages = warning;
DROP EXTENSION pg_etl;
DROP SCHEMA mart_swap CASCADE;
DROP SCHEMA mart_swap_else CASCADE;
DROP ROLE regress_mart_reader;
