-- etl_add_make and etl_drop_make: source views, marts and what is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA setup_make;
SET search_path = setup_make, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
-- The sources of the legacy system, as its contract has them.
CREATE SCHEMA "setup_make maps";
CREATE TABLE "setup_make maps"."Lot ""VW""" (
    lid bigint PRIMARY KEY, make text NOT NULL, model text, variant text, generation text, article_type text,
    country text, currency text, body text, fuel text, gearbox text, trim text, quality smallint, model_id integer,
    variant_id integer, modified timestamptz NOT NULL);
CREATE TABLE listing (
    lid bigint PRIMARY KEY, acc_id bigint NOT NULL, vin text, car_plate text, price numeric(12,2), title text,
    description text, mileage integer, power_kw integer, ccm integer, doors smallint, seats smallint, fuel text,
    gearbox text, drive text, body text, color text, metallic boolean, first_registration date,
    previous_owners smallint, damaged boolean, accident boolean, condition text, co2 numeric(6,1),
    consumption numeric(5,2), emission_class text, emission_sticker smallint, inspection_until date, seals jsonb,
    equipment jsonb, url text, images smallint, zip text, city text, lat double precision, lon double precision,
    vat_deductible boolean, leasing boolean, seller_type text, created timestamptz, modified timestamptz NOT NULL);
CREATE TABLE customer (
    acc_id bigint PRIMARY KEY, name text, email text, phone text, street text, zip text, city text, country text,
    cust_type text, rating numeric(3,1), rating_count integer, homepage text, verified boolean,
    modified timestamptz NOT NULL);
CREATE TABLE stat (
    lid bigint PRIMARY KEY, first_visible timestamptz, last_visible timestamptz, price_first numeric(12,2),
    price_last numeric(12,2), views integer, contacts integer, favorites integer, days_online integer, sold boolean,
    modified timestamptz NOT NULL);
CREATE TABLE prices (lid bigint NOT NULL, price numeric(12,2), dt date);
CREATE TABLE rates (country text, currency text, valid_from date, rate numeric(18,8));
INSERT INTO rates VALUES ('DE', 'CHF', '2020-01-01', 0.9), ('DE', 'CHF', '2020-03-01', 1.1);
SELECT etl_set_rates('rates');
INSERT INTO customer (acc_id, name, rating, modified) VALUES (7, 'dealer', 4.5, '2020-05-04 10:00+00');
INSERT INTO listing (lid, acc_id, vin, car_plate, price, mileage, seals, equipment, images, co2, condition, first_registration, modified)
VALUES (1, 7, 'wvw-zzz1jz3w386752', 'b ma 1234', 1000, 120000, '["a", 1]', '{"x": true, "y": false}', 3, 120, 'used',
        '2015-01-01', '2020-05-01 10:00+00'),
       (2, 7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2020-05-01 10:00+00'),
       (3, 7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2020-05-01 10:00+00'),
       (4, 7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2020-05-01 10:00+00');
INSERT INTO stat (lid, first_visible, last_visible, price_first, modified)
SELECT lid, '2020-02-29 23:30+00', '2020-03-01 23:30+00', CASE WHEN lid = 2 THEN 10 END, '2020-05-03 10:00+00' FROM listing;
INSERT INTO "setup_make maps"."Lot ""VW""" (lid, make, model, article_type, country, currency, quality, modified) VALUES
    (1, 'vw', 'Golf', 'car', 'DE', 'CHF', 2, '2020-05-02 10:00+00'),
    (2, 'vw', 'Polo', 'bus', 'DE', 'EUR', NULL, '2018-01-01 00:30+00'),
    (3, 'vw', 'Polo', 'bus', 'AT', 'CHF', NULL, '2020-05-02 10:00+00'),
    (4, 'vw', NULL, 'car', 'DE', 'CHF', NULL, '2020-05-02 10:00+00');

-- Nothing to take the mart's columns from.
SELECT attempt($$SELECT etl_add_make('vw', '"setup_make maps"."Lot ""VW"""', mart => 'mart')$$);

SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices');
INSERT INTO price_state_mobile VALUES (1, 900, '2020-02-01', 800, '2020-03-15', 800, 900);
SET TIME ZONE 'Asia/Tokyo';
SELECT etl_add_make('vw', '"setup_make maps"."Lot ""VW"""', country => 'DE', mart => '"Mart of VW"');
RESET TIME ZONE;
\d+ "Mart of VW"
SELECT relname, relkind, relowner = current_user::regrole AS mine, reloptions, obj_description(oid) FROM pg_class
WHERE relnamespace = 'etl'::regnamespace AND relkind = 'v' AND relname LIKE 'vw%';
-- Settings are those of the session that added the make: 2018-01-01 begins when it does in Tokyo, so lid 2 is in.
SELECT make, portals, country, template, terminal, settings ->> 'TimeZone' AS time_zone FROM etl.make;
SELECT array_agg(lid) FROM etl.vw_mobile;
SET TIME ZONE 'UTC';
SELECT jsonb_pretty(jsonb_strip_nulls(to_jsonb(v))) FROM etl.vw_mobile v WHERE lid = 1;
RESET TIME ZONE;
-- Columns have the types of the legacy mart, numbers without precision.
SELECT string_agg(format('%s %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
FROM pg_attribute WHERE attrelid = 'etl.vw_mobile'::regclass AND atttypid IN ('numeric'::regtype, 'text[]'::regtype);

-- All portals, or those named; a portal that comes later joins the makes of all portals.
SELECT etl_set_template('small', 'SELECT lid, {portal} AS portal, {make} AS make, {country} AS country FROM {listing}');
SELECT etl_add_make('all', '"setup_make maps"."Lot ""VW"""', mart => 'mart_all', template => 'small', terminal => E'lid > 5 -- old\n');
SELECT etl_add_make('one', '"setup_make maps"."Lot ""VW"""', mart => 'mart_one', template => 'small', portals => '{mobile}');
SELECT etl_add_portal('second', 'listing', 'customer', 'stat', 'prices');
SELECT make, portal, view FROM etl.source ORDER BY make, portal;
SELECT * FROM etl.all_second ORDER BY lid LIMIT 1;
-- Two pairs may come to one name, and the catalog has names of its own.
SELECT etl_add_portal('b_c', 'listing', 'customer', 'stat', 'prices'), etl_add_portal('c', 'listing', 'customer', 'stat', 'prices'),
       etl_add_portal('portal', 'listing', 'customer', 'stat', 'prices');
SELECT etl_add_make('a', '"setup_make maps"."Lot ""VW"""', mart => 'mart_a', template => 'small', portals => '{b_c}'),
       etl_add_make('a_b', '"setup_make maps"."Lot ""VW"""', mart => 'mart_ab', template => 'small', portals => '{c}'),
       etl_add_make('run', '"setup_make maps"."Lot ""VW"""', mart => 'mart_run', template => 'small', portals => '{portal}');
SELECT make, portal, view FROM etl.source WHERE make IN ('a', 'a_b', 'run') ORDER BY make;
-- 63 bytes are the most that a name of a view has.
SELECT etl_add_portal(repeat('p', 40), 'listing', 'customer', 'stat', 'prices');
SELECT etl_add_make(repeat('ß', 20), '"setup_make maps"."Lot ""VW"""', mart => 'mart_long', template => 'small',
                    portals => ARRAY[repeat('p', 40)]);
SELECT view, octet_length(relname) FROM etl.source JOIN pg_class ON oid = view WHERE make LIKE 'ßß%';

-- What is refused.
SELECT attempt(format('SELECT etl_add_make(%s)', arguments)) FROM (VALUES
    ($$NULL, 'listing'$$),
    ($$'new', NULL$$),
    ($$'new', 'listing', template => NULL$$),
    ($$'', 'listing'$$),
    ($$repeat('x', 41), 'listing'$$),
    ($$'one', 'listing', template => 'small', mart => 'new'$$),
    ($$'new', 'customer', template => 'small', mart => 'new'$$),
    ($$'new', 'pg_class', template => 'small', mart => 'new'$$),
    ($$'new', 'listing', template => 'none', mart => 'new'$$),
    ($$'new', 'listing', template => 'small', mart => 'mart_one'$$),
    ($$'new', 'listing', template => 'small', mart => 'a.b.c.d'$$),
    ($$'new', 'listing', template => 'small', mart => 'elsewhere.b.c'$$),
    ($$'new', 'listing', template => 'small', mart => 'a b'$$),
    ($$'new', 'listing', template => 'small', mart => 'nowhere.mart'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', portals => '{}'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', portals => '{mobile,NULL}'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', portals => '{{mobile},{second}}'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', portals => '{mobile,nowhere}'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', portals => '{mobile,mobile}'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'lid'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'nothing > 1'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => ''$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'true), (true'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'true) FROM listing WHERE (true'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'true); SELECT (true'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'EXISTS (SELECT 1)'$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'now() > ''2020-01-01'''$$),
    ($$'new', 'listing', template => 'small', mart => 'new', terminal => 'count(*) > 1'$$)) AS v (arguments);
BEGIN READ ONLY;
SELECT etl_add_make('new', 'listing', template => 'small', mart => 'new');
ROLLBACK;
SELECT count(*) FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relname LIKE 'new%';
SELECT to_regclass('new') AS mart;
-- A mart that is there must fit.
CREATE TABLE misfit (lid bigint, portal text, make integer, country text) PARTITION BY LIST (portal);
SELECT left(attempt($$SELECT etl_add_make('new', 'listing', template => 'small', mart => 'misfit')$$), 6);

-- In use, being worked on, gone.
SELECT attempt($$SELECT etl_drop_portal('mobile')$$);
SELECT attempt($$SELECT etl_drop_make('nothing')$$);
SELECT attempt($$SELECT etl_drop_make(NULL)$$);
INSERT INTO etl.run (kind, make, state, owner, requested_by, workers, definition, settings, system_identifier, database)
SELECT 'seed', 'one', 'loaded', current_user::regrole, current_user::regrole, 1, '', '{}', system_identifier, oid
FROM pg_control_system(), pg_database WHERE datname = current_database();
SELECT regexp_replace(attempt($$SELECT etl_drop_make('one')$$), '(un |\()\d+', '\1N', 'g');
SELECT regexp_replace(attempt($$SELECT etl_refresh_make('one')$$), '(un |\()\d+', '\1N', 'g');
UPDATE etl.run SET state = 'failed' WHERE make = 'one';
SELECT etl_drop_make('one');
DELETE FROM etl.run WHERE make = 'one';
SELECT to_regclass('etl.one_mobile') AS view, to_regclass('mart_one') AS mart;
-- Makes of all portals let a portal go; what others made of a source view holds it.
CREATE VIEW of_view AS SELECT * FROM etl.all_mobile;
SELECT attempt($$SELECT etl_drop_portal('mobile')$$);
DROP VIEW of_view;
SELECT etl_drop_portal('mobile');
SELECT make, portal FROM etl.source WHERE make IN ('all', 'vw') ORDER BY make, portal;

SELECT count(etl_drop_make(make)) FROM etl.make;
SELECT count(etl_drop_portal(portal)) FROM etl.portal;
SELECT etl_drop_template('small');
SELECT etl_set_rates(NULL);
SELECT count(*) FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relkind = 'v' AND relowner = current_user::regrole
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e');
DROP SCHEMA setup_make, "setup_make maps" CASCADE;
