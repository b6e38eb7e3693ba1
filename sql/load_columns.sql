-- Columns that chunks compute by the batch: calls of kernels, and expressions of few values, whose results are
-- remembered. Whatever the way, the mart has what the source view shows.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA load_columns;
SET search_path = load_columns, public;
SET client_min_messages = error; -- as_of, whose time is never the same
CREATE TABLE rates (country text, currency text, valid_from date, rate numeric);
INSERT INTO rates SELECT c, 'EUR', '2020-01-01'::date + d, CASE WHEN d = 3 THEN NULL WHEN d = 5 THEN 'NaN' WHEN d = 7 THEN 1e20 ELSE 1.1 + d / 7.0 END
FROM unnest(ARRAY['DE', 'AT']) c, generate_series(1, 9) d;
SELECT etl_set_rates('rates');
-- NULLs, dirt, values that only the slow ways know (numbers and documents in arrays, NaN, more digits than a code has,
-- infinite days), short values and long ones, in and out of line; some rows without any NULL.
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, vin text, plate text, amount numeric, country text, currency text, day date,
    mileage int, owners smallint, damaged boolean, condition text, seals jsonb, images smallint, label "char", code uuid, name name, note text, tags text[]);
ALTER TABLE listing ALTER note SET STORAGE EXTERNAL;
INSERT INTO listing SELECT l, l % 7,
    CASE l % 9 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'wvw zzz-1jz3w' || lpad(l::text, 6, '0') || repeat('.', (l % 3 * 3000)::int) WHEN 3 THEN 'WVWZZZ1JZ3W0OI23' ELSE 'WVWZZZ1JZ3W' || lpad(l::text, 6, '0') END,
    CASE l % 8 WHEN 0 THEN NULL WHEN 1 THEN 'x' WHEN 2 THEN 'mü-äö ' || l WHEN 3 THEN repeat('B AB 12', 4) ELSE 'b-ab ' || l END,
    CASE l % 10 WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN -l / 3.0 WHEN 4 THEN 1e30 + l WHEN 5 THEN 0 WHEN 6 THEN 0.000000000000000001 * l ELSE l * 1.25 END,
    CASE l % 5 WHEN 0 THEN 'AT' WHEN 1 THEN 'CH' WHEN 2 THEN NULL ELSE 'DE' END, CASE l % 11 WHEN 0 THEN NULL WHEN 1 THEN 'CHF' ELSE 'EUR' END,
    CASE l % 13 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' WHEN 3 THEN '2019-01-01' ELSE '2020-01-01'::date + (l % 12)::int END,
    nullif(l % 400, 7) * 100, nullif(l % 4, 3), CASE l % 6 WHEN 0 THEN NULL ELSE l % 6 = 1 END,
    (ARRAY['new', 'used', 'demo', NULL, repeat('demo', 1000)])[l % 5 + 1],
    (ARRAY['["a", "bc", null]', '{"x": 1, "y": false, "z": null}', '"one"', '17', '[1, [2], {"a": "b"}]', '[]', '{}', NULL])[l % 8 + 1]::jsonb,
    l % 300, chr(65 + (l % 26)::int)::"char", md5(l::text)::uuid, 'n' || l, CASE l % 50 WHEN 0 THEN repeat(md5(l::text), 100) WHEN 1 THEN repeat('x', 9000) ELSE 'note ' || l END,
    ARRAY[l::text, 'tag']
FROM generate_series(1, 12000) l;
CREATE TABLE customer (acc_id bigint PRIMARY KEY, since date);
INSERT INTO customer SELECT a, '2020-01-01'::date + a FROM generate_series(0, 6) a;
CREATE TABLE stat (lid bigint PRIMARY KEY, views int, ratio float8);
INSERT INTO stat SELECT lid, lid % 3, CASE lid % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN -0.0 ELSE lid END FROM listing;
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, quality smallint);
INSERT INTO mapping SELECT lid, nullif(lid % 5, 4) FROM listing WHERE lid % 2 = 0 OR lid < 600;
VACUUM ANALYZE listing, customer, stat, mapping;
CREATE FUNCTION grow(text[], int) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS 'BEGIN $1[$2] := ''grown''; RETURN $1; END';
-- Loads a mart by a template; counts its rows, those that the view does not have, and those of the view that it lacks.
CREATE PROCEDURE try(query text, INOUT rows bigint, INOUT surplus bigint, INOUT missing bigint) LANGUAGE plpgsql AS $$
DECLARE
    run bigint;
BEGIN
    PERFORM etl_set_template('load_columns', query);
    PERFORM etl_add_make('load_columns', 'mapping', 'load_columns.mart', template => 'load_columns', portals => ARRAY['load_columns']);
    SELECT run_id INTO run FROM etl_seed('load_columns', workers => 1);
    COMMIT;
    WHILE EXISTS (SELECT FROM etl_runs WHERE run_id = run AND state IN ('queued', 'running')) LOOP
        PERFORM pg_sleep(0.01);
        COMMIT;
    END LOOP;
    IF EXISTS (SELECT FROM etl_runs WHERE run_id = run AND state = 'failed') THEN
        RAISE INFO 'failed: %', (SELECT error FROM etl_tasks WHERE run_id = run AND state = 'failed');
    ELSE
        EXECUTE 'SELECT count(*) FROM load_columns.mart' INTO rows;
        EXECUTE 'SELECT count(*) FROM (SELECT m::text FROM load_columns.mart m EXCEPT ALL SELECT v::text FROM etl.load_columns_load_columns v) d' INTO surplus;
        EXECUTE 'SELECT count(*) FROM (SELECT v::text FROM etl.load_columns_load_columns v EXCEPT ALL SELECT m::text FROM load_columns.mart m) d' INTO missing;
    END IF;
    PERFORM etl_drop_make('load_columns');
    PERFORM etl_drop_template('load_columns');
    DROP TABLE load_columns.mart CASCADE;
END $$;
SELECT etl_add_portal('load_columns', 'listing', 'customer', 'stat', 'prices');
\set kernels 'SELECT l.lid, {portal}::text AS portal, etl.clean_vin(vin) AS vin, etl.clean_car_plate(plate) AS plate, etl.convert_currency_by_counties(country, currency, amount, day) AS amount, etl.convert_currency_by_counties(country, currency, amount / 3, day + 1) AS later, etl.compute_usage_state(condition, mileage, day, owners, damaged, c.since) AS state, etl.jsonb_to_array(seals) AS seals, etl.clean_vin(NULL) AS none, upper(etl.clean_vin(vin)) AS within, etl.clean_vin(etl.clean_vin(vin)) AS twice, vin AS given, note, code, name, label, tags, ratio'
\set joined ' FROM {listing} l JOIN {customer} c ON c.acc_id = l.acc_id JOIN {stat} s ON s.lid = l.lid JOIN {mapping} m ON m.lid = l.lid'
CALL try(:'kernels' || :'joined', NULL, NULL, NULL);
\set remembered 'SELECT l.lid, {portal}::text AS portal, jsonb_set(jsonb_build_object(''images'', images, ''damaged'', damaged), ''{quality}'', COALESCE(to_jsonb(quality), ''null'')) AS attributes, jsonb_build_object(''lid'', l.lid, ''ratio'', ratio) AS each, to_jsonb(ratio) AS ratio, load_columns.grow(ARRAY[images::text], views + 2) AS grown, array_append(tags, quality::text) AS appended, ''{}''::jsonb AS constant, CASE WHEN damaged THEN repeat(''long'', 3000) END AS long, to_char(day, ''Day'') AS day, images::text COLLATE "C" AS images, NULL::text AS nothing'
CALL try(:'remembered' || :'joined', NULL, NULL, NULL);
-- Results of subqueries, which go with the next row.
CALL try('SELECT l.lid, {portal}::text AS portal, (SELECT string_agg(t || l.lid, '','') FROM unnest(tags) t) AS gathered, COALESCE((SELECT max(t || l.lid) FROM unnest(tags) t), ''none'') AS largest, etl.clean_vin((SELECT max(own) FROM (SELECT l.vin AS own FROM unnest(tags)) t)) AS vin' || :'joined', NULL, NULL, NULL);
-- By name, in any order; and a strict call with NULL evaluates no argument.
CALL try('SELECT l.lid, {portal}::text AS portal, etl.clean_vin(v => vin) AS vin, etl.convert_currency_by_counties(country, currency, p_on => day, p_amount => amount) AS amount, etl.convert_currency_by_counties(NULL, currency, (1 / (images - images))::numeric, day) AS nothing' || :'joined', NULL, NULL, NULL);
-- Rows that decide which rows there are
CALL try('SELECT DISTINCT l.lid, {portal}::text AS portal, etl.clean_vin(vin) AS vin, to_jsonb(images) AS images ' || :'joined', NULL, NULL, NULL);
CALL try('SELECT max(l.lid) AS lid, {portal}::text AS portal, etl.clean_vin(vin) AS vin, to_jsonb(count(*)) AS rows ' || :'joined' || ' GROUP BY vin', NULL, NULL, NULL);
-- By the executor's join, whose rows go one by one
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET etl.key_join = off', current_database()); END $$;
CALL try(:'kernels' || :'joined', NULL, NULL, NULL);
CALL try(:'remembered' || :'joined', NULL, NULL, NULL);
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET etl.key_join', current_database()); END $$;
-- What a function refuses is refused, and a right that is not there is asked for.
UPDATE listing SET day = '5874897-01-01', damaged = false, condition = 'used' WHERE lid = 2000;
CALL try('SELECT l.lid, {portal}::text AS portal, etl.compute_usage_state(condition, mileage, c.since, owners, damaged, day) AS state ' || :'joined', NULL, NULL, NULL);
UPDATE listing SET day = NULL WHERE lid = 2000;
CREATE ROLE load_columns_owner LOGIN;
GRANT USAGE, CREATE ON SCHEMA load_columns TO load_columns_owner;
REVOKE EXECUTE ON FUNCTION etl.clean_vin(text) FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO load_columns_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA load_columns TO load_columns_owner;
DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO load_columns_owner', current_database()); END $$;
SET ROLE load_columns_owner;
CALL try('SELECT l.lid, {portal}::text AS portal, etl.clean_vin(vin) AS vin ' || :'joined', NULL, NULL, NULL);
RESET ROLE;
GRANT EXECUTE ON FUNCTION etl.clean_vin(text) TO PUBLIC;
-- Costs of the tasks are there, by steps where they load.
SELECT kind, count(*) > 0 AS some, bool_and((costs->>'cpu_us')::bigint > 0 AND (costs->>'private_kb')::bigint > 0 AND (costs->>'wal_bytes')::bigint >= 0) AS measured,
    bool_and(costs ?& ARRAY['join_us', 'columns_us', 'kernels_us', 'form_us', 'write_us']) AS steps
FROM etl_tasks WHERE state = 'done' GROUP BY kind ORDER BY kind;
SET client_min_messages = error;
DROP EXTENSION pg_etl;
DROP SCHEMA load_columns CASCADE;
DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM load_columns_owner', current_database()); END $$;
DROP OWNED BY load_columns_owner;
DROP ROLE load_columns_owner;
