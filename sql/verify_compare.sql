-- etl_compare: a mart against any relation of the same columns, above all the legacy mart.
\set SHOW_CONTEXT never
SET client_min_messages = error;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
\set rows 200
\set portals mobile,autoscout
\i test/lib/sources.sql
\i test/lib/register.sql
\i test/lib/legacy_mart.sql
SET client_min_messages = error;
SELECT count(*) FROM etl_compare('volkswagen', 'legacy.ads_volkswagen') WHERE mart_value IS NULL; -- all, before a seed
SELECT max(run_id) AS run FROM etl_seed('volkswagen') \gset
CALL etl_wait(:run);
SELECT count(*) > 100 AS rows FROM raw.ads_volkswagen;
SELECT * FROM etl_compare('volkswagen', 'legacy.ads_volkswagen');
SELECT * FROM etl_compare('volkswagen', 'raw.ads_volkswagen');

-- One value, one NULL, a row too few, a row too many, on the other side.
SELECT lid AS a, lead(lid) OVER (ORDER BY lid) AS b, lead(lid, 2) OVER (ORDER BY lid) AS c FROM legacy.ads_volkswagen ORDER BY lid LIMIT 1 \gset
UPDATE legacy.ads_volkswagen SET title = 'other title', model = 'other model' WHERE lid = :a;
UPDATE legacy.ads_volkswagen SET trim = CASE WHEN trim IS NULL THEN 'trim' END WHERE lid = :b;
DELETE FROM legacy.ads_volkswagen WHERE lid = :c;
INSERT INTO legacy.ads_volkswagen (lid, make, portal) VALUES (4242424242, 'volkswagen', 'mobile');
SELECT CASE lid WHEN :a THEN 'a' WHEN :b THEN 'b' WHEN :c THEN 'c' ELSE lid::text END AS lid, column_name,
       CASE WHEN column_name = 'lid' THEN mart_value IS NOT DISTINCT FROM CASE lid WHEN :c THEN :'c' END ELSE mart_value IS DISTINCT FROM other_value END AS mart, left(other_value, 11) AS other
FROM etl_compare('volkswagen', 'legacy.ads_volkswagen');
SELECT count(*) FROM (SELECT FROM etl_compare('volkswagen', 'legacy.ads_volkswagen') LIMIT 2) d;

-- A mart with a column of its own, which no source view gives.
CREATE SCHEMA verify_compare;
SET search_path = verify_compare, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, "the Title" text, price numeric, at timestamptz, seals jsonb);
CREATE TABLE customer (acc_id bigint);
CREATE TABLE stat (lid bigint);
CREATE TABLE prices (lid bigint, price numeric, dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY);
CREATE TABLE mart (lid bigint, note text DEFAULT 'a note', portal text, "the Title" text, price numeric, at timestamptz, seals jsonb);
SELECT etl_set_template('verify_compare', 'SELECT l.lid, {portal}::text AS portal, l."the Title", l.price, l.at, l.seals FROM {listing} l
    JOIN {mapping} m ON m.lid = l.lid');
SELECT etl_add_portal('verify_compare', 'listing', 'customer', 'stat', 'prices');
SELECT etl_add_make('verify_compare', 'mapping', mart => 'verify_compare.mart', template => 'verify_compare', portals => '{verify_compare}');
CREATE TABLE mart_of_portal PARTITION OF mart FOR VALUES IN ('verify_compare');
INSERT INTO mart (lid, portal, "the Title", price, at, seals) SELECT l, 'verify_compare', 'title ' || l, l, '2026-01-01 00:00+00', '{}'
FROM generate_series(1, 6) l;
CREATE TABLE other AS SELECT * FROM mart;
SELECT * FROM etl_compare('verify_compare', 'other');
UPDATE other SET note = 'another note';
SELECT * FROM etl_compare('verify_compare', 'other');
ALTER TABLE other DROP COLUMN note;
SELECT * FROM etl_compare('verify_compare', 'other');

-- Texts count: the same number with other digits, an empty text that is no NULL, another document.
UPDATE other SET price = 1.00 WHERE lid = 1;
UPDATE other SET "the Title" = '', seals = '{"a": 1}' WHERE lid = 2;
UPDATE mart SET "the Title" = NULL WHERE lid = 2;
SELECT * FROM etl_compare('verify_compare', 'other');

-- Doubled lids: equal rows are paired off, whatever their order.
TRUNCATE mart, other;
INSERT INTO mart (lid, portal, "the Title", price) VALUES
    (1, 'verify_compare', 'x', 1), (1, 'verify_compare', 'y', 1), (2, 'verify_compare', 'x', 1), (2, 'verify_compare', 'x', 1),
    (3, 'verify_compare', 'x', 1), (4, 'verify_compare', 'x', 1), (4, 'verify_compare', 'y', 1), (5, 'verify_compare', 'x', 1),
    (NULL, 'verify_compare', 'x', 1), (NULL, 'verify_compare', 'z', 1);
INSERT INTO other (lid, portal, "the Title", price) VALUES
    (1, 'verify_compare', 'y', 1), (1, 'verify_compare', 'x', 1), (2, 'verify_compare', 'x', 1), (3, 'verify_compare', 'x', 1),
    (3, 'verify_compare', 'x', 1), (4, 'verify_compare', 'y', 1), (4, 'verify_compare', 'z', 2), (6, 'verify_compare', 'x', 1),
    (NULL, 'verify_compare', 'x', 1);
SELECT * FROM etl_compare('verify_compare', 'other');

-- Views, other types, another order of columns, the settings of whoever asks
TRUNCATE mart, other;
INSERT INTO mart (lid, portal, at, price) VALUES (7, 'verify_compare', '2026-01-01 00:00+00', 1);
CREATE VIEW shown AS SELECT seals::text, at::text, price::int, "the Title"::varchar, portal::name, lid::int FROM mart;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM shown;
SELECT * FROM etl_compare('verify_compare', 'shown');
SELECT * FROM etl_compare('verify_compare', 'stored');
SET TimeZone = 'Asia/Tokyo';
SELECT * FROM etl_compare('verify_compare', 'shown');
SELECT * FROM etl_compare('verify_compare', 'stored');
RESET TimeZone;
CREATE OPERATOR verify_compare.= (leftarg = text, rightarg = text, function = textne);
SET search_path = verify_compare, public, pg_catalog;
SELECT * FROM etl_compare('verify_compare', 'shown');
SET search_path = verify_compare, public;
DROP OPERATOR verify_compare.= (text, text);

-- Nonsense
SELECT * FROM etl_compare(NULL, 'other');
SELECT * FROM etl_compare('verify_compare', NULL);
SELECT * FROM etl_compare('nobody', 'other');
SELECT * FROM etl_compare('verify_compare', 0);
ALTER TABLE other ADD more int, ADD "and more" int, DROP price;
SELECT * FROM etl_compare('verify_compare', 'other');
CREATE TYPE composite AS (lid bigint, portal text, "the Title" text, price numeric, at timestamptz, seals jsonb);
SELECT * FROM etl_compare('verify_compare', 'composite');
SELECT * FROM etl_compare('verify_compare', 'listing_pkey');
CREATE VIEW broken AS SELECT 'x'::text AS lid, portal, "the Title", price, at, seals FROM mart;
SELECT * FROM etl_compare('verify_compare', 'broken');
BEGIN READ ONLY;
SELECT * FROM etl_compare('verify_compare', 'stored');
COMMIT;

-- Who may see it: who has the make's rights, and reads both sides by rights of his own.
CREATE ROLE regress_compare_owner;
CREATE ROLE regress_compare_other;
GRANT USAGE ON SCHEMA verify_compare TO regress_compare_owner, regress_compare_other;
SET ROLE regress_compare_other;
SELECT * FROM etl_compare('verify_compare', 'stored');
RESET ROLE;
GRANT EXECUTE ON FUNCTION etl_compare TO regress_compare_owner, regress_compare_other;
GRANT SELECT ON mart, stored TO regress_compare_other;
UPDATE etl.make SET owner = 'regress_compare_owner' WHERE make = 'verify_compare';
SET ROLE regress_compare_other;
SELECT * FROM etl_compare('verify_compare', 'stored');
SET ROLE regress_compare_owner;
SELECT * FROM etl_compare('verify_compare', 'stored');
RESET ROLE;
GRANT SELECT ON mart TO regress_compare_owner;
SET ROLE regress_compare_owner;
SELECT * FROM etl_compare('verify_compare', 'stored');
RESET ROLE;
GRANT SELECT ON stored TO regress_compare_owner;
SET ROLE regress_compare_owner;
SELECT * FROM etl_compare('verify_compare', 'stored');
RESET ROLE;

DROP TABLE mart CASCADE;
\set VERBOSITY sqlstate
SELECT * FROM etl_compare('verify_compare', 'other');
RESET search_path;
SET client_min_messages = error;
DROP EXTENSION pg_etl;
DROP SCHEMA verify_compare CASCADE;
DROP SCHEMA raw, mapping, legacy CASCADE;
DROP OWNED BY regress_compare_owner, regress_compare_other;
DROP ROLE regress_compare_owner, regress_compare_other;
