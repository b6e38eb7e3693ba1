-- An empty plain table gives way to a partitioned one with all that it had; what cannot come along is refused.
CREATE ROLE regress_mart_owner;
CREATE ROLE regress_mart_reader;
CREATE ROLE regress_mart_other;
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA mart_replace;
SET search_path = mart_replace, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt timestamptz);
CREATE TABLE mapping (lid bigint PRIMARY KEY, model varchar(20) COLLATE "C", modified timestamptz);
SELECT etl_add_portal('mart_replace_a', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('mart_replace', 'SELECT l.lid, {make}::text AS make, {portal}::text AS portal, m.model, l.acc_id,
    12.50::numeric(10,2) AS price, ARRAY[m.model] AS tags, m.modified
    FROM {listing} l JOIN {mapping} m ON m.lid = l.lid');
RESET client_min_messages;
\set SHOW_CONTEXT never
GRANT ALL ON SCHEMA mart_replace TO regress_mart_owner, regress_mart_reader;
CREATE TABLE plain (
    gone int, lid bigint NOT NULL, "Make" text COLLATE "C" DEFAULT 'it''s', make text, portal varchar(40),
    model varchar(20), acc_id bigint, price numeric(12,2) CONSTRAINT positive CHECK (price > 0),
    twice numeric GENERATED ALWAYS AS (price * 2) STORED, tags text[], doc jsonb, modified timestamptz DEFAULT now());
ALTER TABLE plain DROP COLUMN gone;
ALTER TABLE plain ALTER doc SET STORAGE EXTERNAL, ALTER doc SET COMPRESSION pglz;
ALTER TABLE plain ADD CONSTRAINT plain_pk PRIMARY KEY (lid) WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX plain_lid_make ON plain (lid, make) INCLUDE (price) NULLS NOT DISTINCT WHERE price > 3;
CREATE UNIQUE INDEX "Odd (index" ON plain (lower("Make" || ')') DESC NULLS LAST, lid) WITH (fillfactor = 55);
CREATE UNIQUE INDEX plain_portal ON plain (portal, lid);
CREATE INDEX plain_doc ON plain USING gin (doc jsonb_path_ops);
COMMENT ON TABLE plain IS 'the mart';
COMMENT ON COLUMN plain.price IS 'in euros';
COMMENT ON CONSTRAINT positive ON plain IS 'no gifts';
COMMENT ON CONSTRAINT plain_pk ON plain IS 'the key';
COMMENT ON INDEX plain_doc IS 'for search';
GRANT SELECT, INSERT ON plain TO regress_mart_reader WITH GRANT OPTION;
SET ROLE regress_mart_reader;
GRANT SELECT ON plain TO regress_mart_other;
RESET ROLE;
GRANT SELECT ON plain TO PUBLIC;
GRANT UPDATE (price) ON plain TO regress_mart_other WITH GRANT OPTION;
ALTER TABLE plain OWNER TO regress_mart_owner;
REVOKE TRUNCATE ON plain FROM regress_mart_owner;
-- Default privileges must not add to what the old table grants.
ALTER DEFAULT PRIVILEGES IN SCHEMA mart_replace GRANT DELETE ON TABLES TO regress_mart_other;

CREATE VIEW privileges AS
SELECT c.relname, a.attname, x.grantor::regrole, x.grantee::regrole, x.privilege_type, x.is_grantable
FROM pg_class c JOIN LATERAL (
    SELECT NULL::name AS attname, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
    UNION ALL
    SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL) a ON true,
    aclexplode(a.acl) x
WHERE c.relnamespace = 'mart_replace'::regnamespace AND c.relkind IN ('r', 'p');
CREATE TABLE before AS SELECT * FROM privileges WHERE relname = 'plain';
SELECT 'plain'::regclass::oid AS plain \gset

-- rows
INSERT INTO plain (lid, portal) VALUES (1, 'x');
SELECT etl_add_make('mart_replace_x', 'mapping', mart => 'mart_replace.plain', template => 'mart_replace');
DELETE FROM plain;
-- rows that a snapshot could miss
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT etl_add_make('mart_replace_x', 'mapping', mart => 'mart_replace.plain', template => 'mart_replace');
ROLLBACK;
SELECT etl_add_make('mart_replace_x', 'mapping', mart => 'mart_replace.plain', template => 'mart_replace');
SELECT 'plain'::regclass <> :plain AS replaced, to_regclass('plain_partitioned') IS NULL AS nothing_left;
\d+ plain
SELECT relowner::regrole, obj_description(oid) FROM pg_class WHERE oid = 'plain'::regclass;
SELECT conname, obj_description(oid) FROM pg_constraint WHERE conrelid = 'plain'::regclass ORDER BY conname;
SELECT relname, obj_description(oid) FROM pg_class
WHERE oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'plain'::regclass) ORDER BY relname COLLATE "C";
(TABLE before EXCEPT SELECT * FROM privileges WHERE relname = 'plain')
UNION ALL (SELECT * FROM privileges WHERE relname = 'plain' EXCEPT TABLE before);
SELECT count(*) AS privileges FROM before;

-- what cannot come along
CREATE TABLE full_of_things (LIKE mapping);
SET client_min_messages = error;
ALTER TABLE full_of_things ADD portal text, ADD id int GENERATED ALWAYS AS IDENTITY, ADD PRIMARY KEY (lid), ADD ser serial,
    ADD acc_id bigint CONSTRAINT self REFERENCES full_of_things, ADD CONSTRAINT ni CHECK (lid > 0) NO INHERIT,
    ADD CONSTRAINT ex EXCLUDE (lid WITH =);
CREATE VIEW v AS SELECT lid FROM full_of_things;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM full_of_things;
CREATE TABLE referrer (lid bigint REFERENCES full_of_things);
CREATE TABLE child () INHERITS (full_of_things);
CREATE TABLE uses_type (x full_of_things[]);
CREATE FUNCTION takes_type(full_of_things) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(lid) FROM full_of_things; END;
CREATE STATISTICS st ON lid, model FROM full_of_things;
CREATE POLICY pol ON full_of_things;
ALTER TABLE full_of_things ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER tr BEFORE UPDATE ON full_of_things FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE RULE ru AS ON DELETE TO full_of_things DO INSTEAD NOTHING;
CREATE PUBLICATION mart_replace_pub FOR TABLE full_of_things;
RESET client_min_messages;
ALTER TABLE full_of_things REPLICA IDENTITY FULL;
ALTER TABLE full_of_things SET (fillfactor = 50, toast.autovacuum_enabled = off);
ALTER TABLE full_of_things ALTER model SET STATISTICS 500, ALTER modified SET (n_distinct = 5);
ALTER TABLE full_of_things CLUSTER ON full_of_things_pkey;
DO $$
DECLARE state text; message text; detail text; hint text;
BEGIN
    PERFORM etl_add_make('mart_replace_y', 'mapping', mart => 'mart_replace.full_of_things', template => 'mart_replace');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
    CREATE TABLE refusal AS SELECT state, message, detail, hint;
END $$;
SELECT state, message, hint FROM refusal \gx
SELECT string_to_table(detail, E'\n') AS detail FROM refusal;
-- nothing was changed
SELECT relkind FROM pg_class WHERE oid = 'full_of_things'::regclass;

-- a table with a trigger only is no matter of dependents
CREATE TABLE triggered (LIKE mapping);
ALTER TABLE triggered ADD portal text;
CREATE TRIGGER tr BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT etl_add_make('mart_replace_z', 'mapping', mart => 'mart_replace.triggered', template => 'mart_replace');
-- no key
CREATE TABLE keyless (lid bigint);
SELECT etl_add_make('mart_replace_z', 'mapping', mart => 'mart_replace.keyless', template => 'mart_replace');
-- columns that do not fit
CREATE TABLE unfit (lid bigint, make int, portal text, model int[], acc_id bigint);
SELECT etl_add_make('mart_replace_z', 'mapping', mart => 'mart_replace.unfit', template => 'mart_replace');
ALTER TABLE unfit ADD price numeric, ADD tags int[], ADD modified date;
SELECT etl_add_make('mart_replace_z', 'mapping', mart => 'mart_replace.unfit', template => 'mart_replace');
ALTER TABLE unfit DROP make, ADD make varchar, DROP model, ADD model text GENERATED ALWAYS AS ('x') STORED, DROP tags,
    ADD tags varchar[];
SELECT etl_add_make('mart_replace_z', 'mapping', mart => 'mart_replace.unfit', template => 'mart_replace');
ALTER TABLE unfit DROP model, ADD model text, ADD needed int NOT NULL, ADD with_default int NOT NULL DEFAULT 1;
SELECT etl_add_make('mart_replace_z', 'mapping', mart => 'mart_replace.unfit', template => 'mart_replace');
ALTER TABLE unfit ALTER needed DROP NOT NULL;
SELECT etl_add_make('mart_replace_z', 'mapping', mart => 'mart_replace.unfit', template => 'mart_replace');
SET client_min_messages = warning;
DROP EXTENSION pg_etl;
DROP SCHEMA mart_replace CASCADE;
DROP PUBLICATION mart_replace_pub;
DROP ROLE regress_mart_owner, regress_mart_reader, regress_mart_other;
