-- etl_refresh_make: sources that were dropped, rebuilt, renamed, retyped.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA setup_refresh;
SET search_path = setup_refresh, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, price numeric(12,2));
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, make text);
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices'), etl_add_portal('q', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('t', 'SELECT l.lid, {portal} AS portal, l.price, ps.last_price FROM {listing} l JOIN {mapping} m'
    ' ON m.lid = l.lid LEFT JOIN {price_state} ps ON ps.lid = l.lid');
SELECT etl_add_make('m', 'mapping', mart => 'mart', template => 't', portals => '{p}', terminal => 'price > 0');
CREATE FUNCTION definition() RETURNS TABLE (make text, portal text, view text, listing text, mapping text)
LANGUAGE sql AS 'SELECT s.make, s.portal, to_regclass(s.view::text)::text, p.listing::text, m.mapping::text
    FROM etl.source s JOIN etl.portal p USING (portal) JOIN etl.make m USING (make)';
-- Nothing has changed.
SELECT etl_refresh_make('m');
SELECT * FROM definition();

-- Dropped: takes the view and nothing else.
DROP TABLE listing;
DROP TABLE listing CASCADE;
SELECT count(*) FROM pg_extension WHERE extname = 'pg_etl';
SELECT attempt($$SELECT etl_refresh_make('m')$$);
-- Rebuilt with other columns: too few, of a type that does not fit the mart, fitting.
CREATE TABLE listing (lid bigint PRIMARY KEY);
SELECT attempt($$SELECT etl_refresh_make('m')$$);
ALTER TABLE listing ADD price bytea;
SELECT left(attempt($$SELECT etl_refresh_make('m')$$), 6);
ALTER TABLE listing ALTER price TYPE real USING NULL;
SELECT etl_refresh_make('m');
SELECT * FROM definition();
SELECT * FROM etl.m_p;
-- The other portal has the same listings, and is brought up to date with a make of its own.
SELECT portal, listing = 'listing'::regclass AS new FROM etl.portal ORDER BY portal;

-- Other makes of a portal are named.
SELECT attempt($$SELECT etl_add_make('n', 'mapping', mart => 'mart_n', template => 't')$$);
SELECT etl_add_make('n', 'mapping', mart => 'mart_n', template => 't', portals => '{p}');
DROP TABLE listing CASCADE;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, price numeric(12,2));
SET client_min_messages = notice;
SELECT etl_refresh_make('m');
SELECT etl_refresh_make('n');
SET client_min_messages = warning;
SELECT etl_drop_make('n');

-- Renamed: harmless, and the new name is kept. Renamed and rebuilt: the name counts.
ALTER TABLE mapping RENAME TO mapping_renamed;
SELECT etl_refresh_make('m');
SELECT mapping, mapping_name FROM etl.make;
ALTER TABLE mapping_renamed RENAME TO mapping_old;
CREATE TABLE mapping_renamed (lid bigint PRIMARY KEY, make text);
SELECT etl_refresh_make('m');
SELECT mapping, mapping_name FROM etl.make;
SELECT pg_get_viewdef('etl.m_p'::regclass);

-- A rebuilt log makes the price state stale; with other types it needs another price state.
UPDATE etl.portal SET state = 'as_of', folded_at = now() WHERE portal = 'p';
DROP TABLE prices;
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
SELECT etl_refresh_make('m');
SELECT portal, state, state_cause, prices = 'prices'::regclass AS new FROM etl.portal WHERE portal = 'p';
DROP TABLE prices;
CREATE TABLE prices (lid bigint, price numeric(14,3), dt timestamptz);
SELECT attempt($$SELECT etl_refresh_make('m')$$);
DROP TABLE price_state_p CASCADE;
SELECT etl_refresh_make('m');
SELECT portal, state, state_cause FROM etl.portal WHERE portal = 'p';
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'price_state_p'::regclass AND attname ~ 'last_';
SELECT DISTINCT portal FROM price_state ORDER BY 1;
SELECT to_regclass('price_state') IS NOT NULL AS view;

-- The mart is gone, the template's settings are not those of this session, nothing of that name.
SELECT attempt($$SELECT etl_refresh_make('nothing')$$);
SELECT attempt($$SELECT etl_refresh_make(NULL)$$);
DROP TABLE mart;
SELECT attempt($$SELECT etl_refresh_make('m')$$);
SELECT etl_drop_make('m');
SELECT etl_set_template('day', $$SELECT lid, {portal} AS portal, timestamptz '2020-01-01' AS t FROM {listing}$$);
SET TIME ZONE 'Asia/Tokyo';
SELECT etl_add_make('d', 'mapping_renamed', mart => 'mart_d', template => 'day', portals => '{p}');
INSERT INTO listing VALUES (1);
SET TIME ZONE 'America/New_York';
SELECT etl_refresh_make('d');
SET TIME ZONE 'UTC';
SET datestyle = 'ISO';
SELECT t FROM etl.d_p;
RESET datestyle;
RESET TIME ZONE;
-- A view that its owner dropped comes back.
DROP VIEW etl.d_p;
SELECT etl_refresh_make('d');
SELECT count(*) FROM etl.d_p;

SELECT etl_drop_make('d');
SELECT etl_drop_template('t'), etl_drop_template('day'), etl_drop_portal('p'), etl_drop_portal('q');
DROP SCHEMA setup_refresh CASCADE;
