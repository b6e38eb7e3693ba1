-- DROP EXTENSION needs no CASCADE, in a restored database neither; mart and price state stay.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA setup_extension;
SET search_path = setup_extension, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE TABLE listing (lid bigint PRIMARY KEY, vin text);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY);
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('t', 'SELECT lid, {portal} AS portal, etl.clean_vin(vin) AS vin FROM {listing} JOIN {price_state} USING (lid)');
SELECT etl_add_make('m', 'mapping', mart => 'mart', template => 't');
-- Not members, but dependent: of the view, its rule goes with it.
SELECT deptype, refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_etl') AS extension FROM pg_depend
WHERE classid = 'pg_class'::regclass AND objid = 'etl.m_p'::regclass AND refclassid = 'pg_extension'::regclass;
-- What a restore does: DROP and CREATE VIEW. The dependency comes back, once; views elsewhere have none.
SELECT pg_get_viewdef('etl.m_p'::regclass) AS definition \gset
DROP VIEW etl.m_p;
CREATE VIEW etl.m_p WITH (security_invoker = true) AS :definition
CREATE OR REPLACE VIEW etl.m_p WITH (security_invoker = true) AS :definition
CREATE VIEW elsewhere AS SELECT 1 AS a;
CREATE TEMP VIEW for_a_while AS SELECT 1 AS a;
SELECT objid::regclass, deptype FROM pg_depend WHERE classid = 'pg_class'::regclass
AND objid IN ('etl.m_p'::regclass, 'elsewhere'::regclass, 'for_a_while'::regclass) AND refclassid = 'pg_extension'::regclass;
SELECT etl.adopt_view();
-- A view of somebody else's on a source view is not ours to drop.
CREATE VIEW dependent AS SELECT * FROM etl.m_p;
DROP EXTENSION pg_etl;
DROP VIEW dependent;
DROP EXTENSION pg_etl;
SELECT relname, relkind FROM pg_class WHERE relnamespace = 'setup_extension'::regnamespace AND relkind IN ('p', 'v', 'r') ORDER BY relname;
SELECT count(*) FROM pg_namespace WHERE nspname = 'etl';
-- Installed anew, the price state is taken over, the mart fits, and the view of price states is known again.
CREATE EXTENSION pg_etl;
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');
SELECT state FROM etl.portal;
SELECT etl_set_template('t', 'SELECT lid, {portal} AS portal, etl.clean_vin(vin) AS vin FROM {listing}');
SELECT etl_add_make('m', 'mapping', mart => 'mart', template => 't');
SELECT etl_drop_make('m'), etl_drop_template('t');
SELECT etl_drop_portal('p');
SELECT to_regclass('price_state') AS view;
DROP SCHEMA setup_extension CASCADE;
