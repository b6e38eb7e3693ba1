-- etl_add_portal and etl_drop_portal: the price state, the view over it, and what can be no source.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA setup_portal;
SET search_path = setup_portal, public;
RESET client_min_messages;
-- Runs a statement and shows how it ends: SQLSTATE, message, DETAIL, HINT.
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;

CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);

SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices');
\d price_state_mobile
SELECT reloptions FROM pg_class WHERE oid = 'price_state_mobile'::regclass;
SELECT obj_description('price_state_mobile'::regclass), col_description('price_state_mobile'::regclass, 8);
SELECT portal, owner::regrole = current_user::regrole AS mine, listing, customer, stat, prices, price_state, state, state_cause
FROM etl.portal;
BEGIN;
INSERT INTO price_state_mobile VALUES (1, 10.50, '2020-01-01', 11.5, '2020-02-01', 10.5, 12);
SELECT modified = now() AS start_of_transaction FROM price_state_mobile WHERE lid = 1;
COMMIT;

-- Arguments by name; relations may be shared; the log's own types, which the view brings together.
CREATE TABLE prices_float (lid bigint, price double precision, dt timestamptz);
SELECT etl_add_portal(prices => 'prices_float', stat => 'stat', customer => 'customer', listing => 'listing',
                      portal => 'Ü"m''o {listing}');
\d "price_state_Ü""m'o {listing}"
INSERT INTO "price_state_Ü""m'o {listing}" VALUES (2, 1.5, '2020-01-01 12:00+00', 'NaN', '2020-01-01 12:00+00', 1.5, 'NaN');
SET TIME ZONE 'UTC';
SELECT portal, lid, first_price, first_dt, last_price, price_max FROM price_state ORDER BY lid;
RESET TIME ZONE;
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'setup_portal' AND table_name = 'price_state' ORDER BY ordinal_position;
SELECT reloptions FROM pg_class WHERE oid = 'price_state'::regclass;

-- Any relation that every session sees will do.
CREATE TABLE parent (lid bigint, price integer, dt timestamp) PARTITION BY HASH (lid);
CREATE VIEW listing_view AS SELECT * FROM listing;
CREATE MATERIALIZED VIEW stat_copy AS SELECT * FROM stat;
CREATE UNLOGGED TABLE customer_part (acc_id text) PARTITION BY LIST (acc_id);
SELECT etl_add_portal('kinds', 'listing_view', 'customer_part', 'stat_copy', 'parent');
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'price_state_kinds'::regclass AND attname IN ('first_price', 'last_dt');

-- What is refused.
CREATE TEMP TABLE temporary (lid bigint);
CREATE SEQUENCE sequence;
CREATE TABLE narrow (lid integer, price text, dt text);
CREATE VIEW wide AS SELECT lid::bigint, price, current_date AS dt FROM narrow;
CREATE VIEW timeless AS SELECT lid::bigint, 1 AS price, dt FROM narrow;
SELECT attempt(format('SELECT etl_add_portal(%s)', arguments)) FROM (VALUES
    ($$NULL, 'listing', 'customer', 'stat', 'prices'$$),
    ($$'new', 'listing', 'customer', 'stat', NULL$$),
    ($$'', 'listing', 'customer', 'stat', 'prices'$$),
    ($$repeat('ü', 20) || 'x', 'listing', 'customer', 'stat', 'prices'$$),
    ($$'mobile', 'listing', 'customer', 'stat', 'prices'$$),
    ($$'new', 1, 'customer', 'stat', 'prices'$$),
    ($$'new', 'nowhere', 'customer', 'stat', 'prices'$$),
    ($$'new', 'sequence', 'customer', 'stat', 'prices'$$),
    ($$'new', 'listing_pkey', 'customer', 'stat', 'prices'$$),
    ($$'new', 'pg_class', 'customer', 'stat', 'prices'$$),
    ($$'new', 'information_schema.tables', 'customer', 'stat', 'prices'$$),
    ($$'new', 'etl.task', 'customer', 'stat', 'prices'$$),
    ($$'new', 'customer', 'customer', 'stat', 'prices'$$),
    ($$'new', 'narrow', 'customer', 'stat', 'prices'$$),
    ($$'new', 'listing', 'stat', 'stat', 'prices'$$),
    ($$'new', 'listing', 'customer', 'stat', 'wide'$$),
    ($$'new', 'listing', 'customer', 'stat', 'timeless'$$)) AS v (arguments);
SELECT regexp_replace(attempt($$SELECT etl_add_portal('new', 'temporary', 'customer', 'stat', 'prices')$$),
                      'pg_temp_\d+', 'pg_temp_N');
BEGIN READ ONLY;
SELECT etl_add_portal('new', 'listing', 'customer', 'stat', 'prices');
ROLLBACK;
BEGIN READ ONLY;
SELECT etl_drop_portal('mobile');
ROLLBACK;

-- 40 bytes are not too many, and nobody is disturbed by a rollback.
BEGIN;
SELECT etl_add_portal(repeat('ü', 20), 'listing', 'customer', 'stat', 'prices');
ROLLBACK;
SELECT count(*) FROM etl.portal WHERE portal LIKE 'üü%';
SELECT to_regclass('price_state_' || repeat('ü', 20));

-- Dropping: the price state stays, the view shows the others, and goes with the last.
SELECT attempt($$SELECT etl_drop_portal('nowhere')$$);
SELECT attempt($$SELECT etl_drop_portal(NULL)$$);
SELECT etl_drop_portal('mobile');
SELECT count(*) FROM price_state_mobile;
SELECT DISTINCT portal FROM price_state;
-- A table of that name and shape is taken over, and known to be of unknown age. Another one is not touched.
SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices');
SELECT portal, state, state_cause FROM etl.portal WHERE portal = 'mobile';
SELECT count(*) FROM price_state_mobile;
SELECT etl_drop_portal('mobile');
ALTER TABLE price_state_mobile ALTER first_price TYPE numeric;
SELECT attempt($$SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices')$$);
ALTER TABLE price_state_mobile ALTER first_price TYPE numeric(12,2), ADD more text;
SELECT attempt($$SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices')$$);
ALTER TABLE price_state_mobile DROP more, DROP CONSTRAINT price_state_mobile_pkey;
SELECT attempt($$SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices')$$);
ALTER TABLE price_state_mobile SET UNLOGGED;
SELECT attempt($$SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices')$$);

SELECT etl_drop_portal(portal) FROM etl.portal;
SELECT to_regclass('price_state') AS view, to_regclass('price_state_kinds') AS table;
-- Somebody else's price_state is left alone.
CREATE TABLE price_state (mine integer);
SELECT etl_add_portal('other', 'listing', 'customer', 'stat', 'prices');
SELECT etl_drop_portal('other');
\d price_state

-- A run that works on the portal: not to be dropped under it. One of another cluster or database is dead.
SELECT etl_add_portal('busy', 'listing', 'customer', 'stat', 'prices');
INSERT INTO etl.run (kind, portal, state, owner, requested_by, workers, definition, settings, system_identifier, database)
SELECT 'fold', 'busy', 'running', current_user::regrole, current_user::regrole, 1, '', '{}', system_identifier, oid
FROM pg_control_system(), pg_database WHERE datname = current_database();
SELECT regexp_replace(attempt($$SELECT etl_drop_portal('busy')$$), '(un |\()\d+', '\1N', 'g');
UPDATE etl.run SET system_identifier = system_identifier + 1 WHERE portal = 'busy';
SELECT etl_drop_portal('busy');
DELETE FROM etl.run WHERE portal = 'busy';

SET client_min_messages = warning;
DROP SCHEMA setup_portal CASCADE;
SELECT count(*) FROM etl.portal;
