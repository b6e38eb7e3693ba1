-- etl_set_template and etl_drop_template: what the text must be, and what it must mean once it is filled in.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA setup_template;
SET search_path = setup_template, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint, title text COLLATE "C", day date, modified timestamptz);
CREATE TABLE customer (acc_id bigint PRIMARY KEY, name text);
CREATE TABLE stat (lid bigint PRIMARY KEY, modified timestamptz);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, make text, title text COLLATE "POSIX");
CREATE TABLE elsewhere (a integer);
INSERT INTO listing VALUES (1, 1, 'one', '2020-01-01', '2020-01-01 00:00+00');
INSERT INTO mapping VALUES (1, 'x', 'one');
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');

-- Placeholders mean nothing inside literals, quoted identifiers and comments, of all kinds and nested.
SELECT etl_set_template('lexis', $template$
SELECT l.lid, {portal} AS portal, '{make} it''s' AS a, E'\'{make}' AS b, E'x'
       '\'{make}' AS c, $$ {listing} $$ AS d, $x${make}$$y$x$ AS e, U&'\0041{make}' AS f, {make} AS "{make}""{x",
       {country} AS country, {country}IS NULL AS g -- {nothing}
  /* {nothing} /* {nothing} */ '{ */
FROM {listing} l WHERE l.lid IN (SELECT lid FROM {mapping})
$template$);
SELECT etl_add_make('lexis', 'mapping', mart => 'lexis_mart', template => 'lexis', country => 'D''E\');
SELECT * FROM etl.lexis_p;
SELECT pg_get_viewdef('etl.lexis_p'::regclass);

-- What the text alone tells.
SELECT attempt(format('SELECT etl_set_template(%s)', arguments)) FROM (VALUES
    ($$NULL, 'SELECT'$$),
    ($$'t', NULL$$),
    ($$'', 'SELECT'$$),
    ($$repeat('x', 64), 'SELECT'$$),
    ($$'t', ''$$),
    ($$'t', 'SELECT lid, {portal} AS portal FROM {listing}; DROP TABLE elsewhere'$$),
    ($$'t', 'DELETE FROM {listing}'$$),
    ($$'t', 'VALUES (1)'$$),
    ($$'t', 'SELECT lid, {portal} AS portal FROM'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, ''x FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal INTO t FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal FROM {listing} FOR UPDATE'$$),
    ($$'t', 'SELECT lid, {portal} AS portal FROM (SELECT * FROM {listing} FOR SHARE) l'$$),
    ($$'t', 'WITH gone AS (DELETE FROM {listing} RETURNING *) SELECT lid, {portal} AS portal FROM gone'$$),
    ($$'t', 'SELECT lid, {portal} AS portal FROM {listing} TABLESAMPLE SYSTEM (1)'$$),
    ($$'t', 'SELECT lid, {portals} AS portal FROM {listing}'$$),
    ($$'t', 'SELECT lid, {Portal} AS portal FROM {listing}'$$),
    ($$'t', 'SELECT lid, { portal } AS portal FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal} FROM {listing}'$$),
    ($$'t', 'SELECT lid FROM {listing}'$$),
    ($$'t', 'SELECT {portal} AS portal FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, 1 AS x, 2 AS x FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, now() FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, pg_catalog.clock_timestamp() FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, age(day) FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, CURRENT_DATE FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, LOCALTIMESTAMP FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, CURRENT_USER FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, random() FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, pg_sleep(1) FROM {listing}'$$),
    ($$'t', 'SELECT lid, {portal} AS portal, current_setting(''x'') FROM {listing}'$$)) AS v (arguments);
SELECT name FROM etl.template ORDER BY name;

-- What only its meaning tells.
CREATE FUNCTION chance() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION overloaded(integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION overloaded(text) RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1';
CREATE TABLE candidate (n integer, query text);
INSERT INTO candidate SELECT n, format('SELECT %s FROM {listing} l JOIN {mapping} m ON m.lid = l.lid', list)
FROM (VALUES
    (1, $$l.lid, {portal} AS portal, setup_template.overloaded(1) AS x$$),
    (2, $$l.lid, {portal} AS portal, l.modified > 'now' AS x$$),
    (3, $$l.lid, {portal} AS portal, date 'Today' AS x$$),
    (4, $$l.lid, {portal} AS portal, 'tomorrow'::text::timestamptz AS x$$),
    (5, $$l.lid, {portal} AS portal, l.day = ANY ('{2020-01-01,yesterday}') AS x$$),
    (6, $$l.lid, {portal} AS portal, tstzrange(l.modified, NULL) && '[now,]' AS x$$),
    (7, $$l.lid, {portal} AS portal, l.ctid$$),
    (8, $$l.lid, {portal} AS portal, unnest(ARRAY[1, 2]) AS x$$),
    (9, $$l.*, m.title, {portal} AS portal$$),
    (10, $$l.lid, {portal} AS portal, (SELECT count(*) FROM setup_template.elsewhere) AS x$$),
    (11, $$l.lid, {portal} AS portal, EXISTS (SELECT FROM pg_catalog.pg_class) AS x$$),
    (12, $$l.lid::integer AS lid, {portal} AS portal$$),
    (13, $$l.lid, 1 AS portal$$),
    (14, $$l.*$$),
    (15, $$l.lid, {portal} AS portal, clean_vin(l.title) AS x$$),
    (16, $$l.lid, {portal} AS portal, $1 AS x$$),
    (17, $$l.lid, {portal} AS portal, l.nothing$$),
    (18, $$l.lid, {portal} AS portal, CASE WHEN l.day IS NULL THEN l.title ELSE m.title END AS x$$),
    (19, $$l.lid, {portal} AS portal, row(1, 2) AS x$$)) AS v (n, list);
INSERT INTO candidate SELECT 20, 'SELECT lid, {portal} AS portal, ' || string_agg('1 AS c' || i, ', ') || ' FROM {listing}'
FROM generate_series(1, 1700) i;
-- These are fine.
INSERT INTO candidate SELECT n, format('SELECT %s FROM {listing} l JOIN {mapping} m ON m.lid = l.lid', list)
FROM (VALUES
    (51, $$l.lid, {portal} AS portal, l.title = 'now' AS x, 'today' AS y, age(l.modified, l.modified) AS z$$),
    (52, $$l.lid, {portal} AS portal, setup_template.overloaded('a') AS x, etl.clean_vin(l.title) AS y$$),
    (53, $$m.*, {portal} AS portal, {price_state}.last_price$$ ),
    (54, $$l.lid, {portal}::varchar AS portal, ARRAY(SELECT u FROM unnest(ARRAY[1, 2]) u) AS x$$)) AS v (n, list);
UPDATE candidate SET query = 'WITH m AS (SELECT * FROM {mapping}) SELECT m.*, {portal} AS portal, ps.last_price FROM m'
    ' JOIN {price_state} ps USING (lid) UNION ALL SELECT m.*, {portal}, NULL FROM m ORDER BY lid' WHERE n = 53;
SELECT count(etl_set_template('c' || n, query)) FROM candidate;
SELECT n, attempt(format('SELECT etl_add_make(%L, ''mapping'', mart => %L, template => %L)', 'c' || n, 'mart' || n, 'c' || n))
FROM candidate ORDER BY n;
-- The text is read with standard_conforming_strings, whatever the session has.
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT etl_set_template('strings', $$SELECT lid, {portal} AS portal, 'a\' AS a, '{make}\' AS b FROM {listing}$$);
SELECT etl_add_make('strings', 'mapping', mart => 'strings', template => 'strings');
RESET standard_conforming_strings;
RESET escape_string_warning;
SELECT * FROM etl.strings_p;

-- Templates that ship, that are in use, that are not.
SELECT attempt($$SELECT etl_set_template('ads', 'SELECT lid, {portal} AS portal FROM {listing}')$$);
SELECT attempt($$SELECT etl_drop_template('ads')$$);
SELECT attempt($$SELECT etl_drop_template('nothing')$$);
SELECT etl_add_make('c51 too', 'mapping', mart => 'mart51too', template => 'c51');
SELECT attempt($$SELECT etl_set_template('c51', 'SELECT lid, {portal} AS portal FROM {listing}')$$);
SELECT attempt($$SELECT etl_drop_template('c51')$$);
SELECT etl_set_template('c1', 'SELECT lid, {portal} AS portal FROM {listing}');
SELECT query FROM etl.template WHERE name = 'c1';
SELECT count(etl_drop_make(make)) FROM etl.make;
SELECT count(etl_drop_template(name)) FROM etl.template WHERE owner IS NOT NULL;
SELECT etl_drop_portal('p');
SELECT name FROM etl.template;
DROP SCHEMA setup_template CASCADE;
