-- A mart that does not exist is made: the template's columns, the contract's indexes, partitioned by portal.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA mart_new;
SET search_path = mart_new, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt timestamptz);
CREATE TABLE mapping (lid bigint PRIMARY KEY, model varchar(20) COLLATE "C", modified timestamptz);
SELECT etl_add_portal('mart_new_a', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('mart_new', 'SELECT l.lid, {make}::text AS make, {portal}::text AS portal, m.model, l.acc_id,
    12.50::numeric(10,2) AS price, ARRAY[m.model] AS tags, m.modified
    FROM {listing} l JOIN {mapping} m ON m.lid = l.lid');
RESET client_min_messages;
SELECT etl_add_make('mart_new_x', 'mapping', mart => 'mart_new.made', template => 'mart_new');
\d+ made
\d made_*
SELECT obj_description('made'::regclass);

-- names in SQL syntax, quoted and of 63 bytes
SELECT etl_add_make('mart_new_y', 'mapping', mart => 'MART_NEW."Odd ""name"" x"', template => 'mart_new');
SELECT etl_add_make('mart_new_z', 'mapping', template => 'mart_new',
    mart => 'mart_new.long_678901234567890123456789012345678901234567890123456789012');
SELECT indexrelid::regclass FROM pg_index WHERE indrelid::regclass::text ~ 'Odd|long' ORDER BY indexrelid::regclass::text COLLATE "C";

-- by the search_path, where no schema is named
SELECT etl_add_make('mart_new_path', 'mapping', mart => 'by_path', template => 'mart_new');
SELECT 'mart_new.by_path'::regclass IS NOT NULL AS made;

-- a template without a make, and with none of the indexed columns
SELECT etl_set_template('mart_new_small', 'SELECT l.lid, {portal}::text AS portal FROM {listing} l');
SELECT etl_add_make('mart_new_small', 'mapping', mart => 'mart_new.small', template => 'mart_new_small');
\d small

-- no mart
CREATE FUNCTION refuses(mart text) RETURNS TABLE (state text, message text, detail text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM etl_add_make('mart_new_no', 'mapping', mart => mart, template => 'mart_new');
    message := 'not refused';
    RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END $$;
\x on
CREATE VIEW a_view AS SELECT 1::bigint AS lid, 'a'::text AS portal;
CREATE MATERIALIZED VIEW a_matview AS SELECT 1::bigint AS lid, 'a'::text AS portal;
CREATE SEQUENCE a_sequence;
CREATE UNLOGGED TABLE an_unlogged (lid bigint, portal text);
CREATE UNLOGGED TABLE an_unlogged_partitioned (lid bigint, portal text) PARTITION BY LIST (portal);
SELECT * FROM refuses('mart_new.a_view');
SELECT * FROM refuses('mart_new.a_matview');
SELECT * FROM refuses('mart_new.a_sequence');
SELECT * FROM refuses('mart_new.an_unlogged');
SELECT * FROM refuses('mart_new.an_unlogged_partitioned');
SELECT * FROM refuses('mart_new.made');
SELECT * FROM refuses('mart_new_nowhere.made');
SELECT state FROM refuses('a b');
SELECT state FROM refuses('');
\x off
SET client_min_messages = warning;
DROP EXTENSION pg_etl;
DROP SCHEMA mart_new CASCADE;
