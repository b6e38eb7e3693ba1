-- etl_set_rates: which relation, and what it must be.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA setup_rates;
SET search_path = setup_rates, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE TABLE rates (country text, currency text, valid_from date, rate numeric(18,8));
INSERT INTO rates VALUES ('DE', 'CHF', '2020-01-01', 2);
CREATE TABLE other (country text, currency text, valid_from date, rate numeric);
CREATE VIEW seen AS SELECT * FROM rates;
CREATE TABLE narrow (country text, currency text, valid_from date);
SELECT etl_set_rates('rates');
SELECT relation FROM etl.rates;
SELECT etl.convert_currency_by_counties('DE', 'CHF', 10, '2020-02-02');
SELECT etl_set_rates(rates => 'other');
SELECT relation FROM etl.rates;
SELECT attempt(format('SELECT etl_set_rates(%s)', argument)) FROM (VALUES ($$'seen'$$), ($$'narrow'$$), ($$1$$)) AS v (argument);
BEGIN READ ONLY;
SELECT etl_set_rates('rates');
ROLLBACK;
SELECT relation FROM etl.rates;
-- One that was dropped is no hindrance.
DROP TABLE other;
SELECT etl_set_rates('rates');
SELECT relation FROM etl.rates;
SELECT etl_set_rates(NULL);
SELECT count(*) FROM etl.rates;
DROP SCHEMA setup_rates CASCADE;
