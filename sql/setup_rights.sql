-- Whose rights: owners, members, strangers, superusers, and code of an owner that wants more.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA setup_rights;
SET search_path = setup_rights, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE ROLE regress_setup_owner LOGIN;
CREATE ROLE regress_setup_member LOGIN IN ROLE regress_setup_owner;
CREATE ROLE regress_setup_other LOGIN;
CREATE ROLE regress_setup_nologin;
CREATE ROLE "regress setup ""Q""" LOGIN;
GRANT USAGE ON SCHEMA setup_rights TO PUBLIC;
GRANT EXECUTE ON FUNCTION etl_add_portal, etl_drop_portal, etl_add_make, etl_drop_make, etl_refresh_make, etl_set_template,
    etl_drop_template, etl_set_rates TO PUBLIC;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, make text);

-- What it needs, told one by one: SELECT on the sources, CREATE on the log's schema, LOGIN.
SET ROLE regress_setup_owner;
SELECT attempt($$SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices')$$);
RESET ROLE;
GRANT SELECT ON listing, customer, stat, prices, mapping TO regress_setup_owner, regress_setup_nologin;
SET ROLE regress_setup_owner;
SELECT attempt($$SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices')$$);
RESET ROLE;
GRANT CREATE ON SCHEMA setup_rights TO regress_setup_owner, regress_setup_other;
SET ROLE regress_setup_nologin;
SELECT attempt($$SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices')$$);
SELECT attempt($$SELECT etl_add_make('m', 'mapping', mart => 'm')$$);
SET ROLE regress_setup_owner;
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');
SELECT etl_set_template('t', 'SELECT lid, {portal} AS portal, {make} AS make FROM {listing} JOIN {price_state} USING (lid)');
SELECT etl_add_make('m', 'mapping', mart => 'm', template => 't');
RESET ROLE;
SELECT relname, relowner::regrole FROM pg_class
WHERE relname IN ('price_state_p', 'price_state', 'm_p', 'm') AND relnamespace IN ('etl'::regnamespace, 'setup_rights'::regnamespace)
ORDER BY relname;
SELECT portal, p.owner, m.make, m.owner, t.owner FROM etl.portal p, etl.make m, etl.template t WHERE t.name = 't';
-- Not more than that: nothing in schema etl, not the catalog.
SET ROLE regress_setup_owner;
SELECT attempt('CREATE TABLE etl.mine ()');
SELECT attempt('SELECT * FROM etl.make');
SELECT attempt('DELETE FROM etl.portal');
SELECT attempt('CREATE OR REPLACE VIEW etl.m_p AS SELECT 1::bigint AS lid');

-- Strangers may not, members and superusers may.
SET ROLE regress_setup_other;
SELECT attempt(statement) FROM (VALUES
    ($$SELECT etl_drop_portal('p')$$), ($$SELECT etl_drop_make('m')$$), ($$SELECT etl_refresh_make('m')$$),
    ($$SELECT etl_drop_template('t')$$), ($$SELECT etl_set_template('t', 'SELECT lid, {portal} AS portal FROM {listing}')$$),
    ($$SELECT * FROM etl.m_p$$)) AS v (statement);
SET ROLE regress_setup_member;
SELECT etl_refresh_make('m');
SELECT etl_drop_make('m');
RESET ROLE;
SET ROLE regress_setup_owner;
SELECT etl_add_make('m', 'mapping', mart => 'm', template => 't');
RESET ROLE;
SELECT etl_refresh_make('m');
SELECT relowner::regrole FROM pg_class WHERE oid = 'etl.m_p'::regclass;

-- A portal of another owner: who may read its log may read its price state, so the make takes it in.
GRANT SELECT ON listing, customer, stat, prices, mapping TO "regress setup ""Q""", regress_setup_other;
GRANT CREATE ON SCHEMA setup_rights TO "regress setup ""Q""";
SET ROLE "regress setup ""Q""";
SELECT etl_add_portal('q', 'listing', 'customer', 'stat', 'prices');
RESET ROLE;
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('price_state', 'price_state_q') ORDER BY 1;
SELECT portal FROM etl.source WHERE make = 'm' ORDER BY portal;
SELECT relowner::regrole, has_table_privilege('regress_setup_owner', 'price_state_q', 'SELECT') AS reads,
       has_table_privilege('regress_setup_owner', 'price_state_q', 'INSERT') AS writes FROM pg_class WHERE oid = 'etl.m_q'::regclass;
-- One that the make's owner cannot read does not stop the portal's owner, and the make is told.
REVOKE ALL ON customer FROM regress_setup_owner;
CREATE TABLE prices_two (lid bigint, price numeric(12,2), dt date);
GRANT SELECT ON prices_two TO regress_setup_other;
SET ROLE regress_setup_other;
SELECT etl_add_portal('r', 'listing', 'customer', 'stat', 'prices_two');
SELECT etl_drop_portal('r');
RESET ROLE;
GRANT SELECT ON customer TO regress_setup_owner;

-- Row security that would hide rows from the owner.
CREATE TABLE guarded (lid bigint PRIMARY KEY, acc_id bigint);
GRANT SELECT ON guarded TO regress_setup_owner;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
SET ROLE regress_setup_owner;
SELECT attempt($$SELECT etl_add_portal('g', 'guarded', 'customer', 'stat', 'prices')$$);
RESET ROLE;
ALTER TABLE listing ENABLE ROW LEVEL SECURITY;
SET ROLE regress_setup_owner;
SELECT attempt($$SELECT etl_refresh_make('m')$$);
RESET ROLE;
ALTER TABLE listing DISABLE ROW LEVEL SECURITY;

-- Analysing a template runs code of its owner: checks of domains in literals of arrays and composite types. Whoever asks,
-- it runs as the owner, who can neither change the role nor reach the catalog.
CREATE TABLE seen (who name, tried text, outcome text);
GRANT INSERT ON seen TO PUBLIC;
SET ROLE regress_setup_owner;
CREATE FUNCTION hostile(value integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE trial text;
BEGIN
    FOREACH trial IN ARRAY ARRAY['SET ROLE NONE', 'RESET SESSION AUTHORIZATION', 'CREATE TABLE etl.mine ()',
        'DELETE FROM etl.make', 'ALTER ROLE regress_setup_owner SUPERUSER', 'SET search_path = setup_rights'] LOOP
        BEGIN
            EXECUTE trial;
            INSERT INTO setup_rights.seen VALUES (current_user, trial, 'done');
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO setup_rights.seen VALUES (current_user, trial, SQLSTATE);
        END;
    END LOOP;
    RETURN true;
END $$;
CREATE DOMAIN trap AS integer CHECK (setup_rights.hostile(VALUE));
CREATE TYPE trap_row AS (a trap);
-- An operator that is nearer than the system's, should anybody look here first.
CREATE FUNCTION nearer(name, text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN INSERT INTO setup_rights.seen VALUES (current_user, 'operator', 'done'); RETURN true; END $$;
CREATE OPERATOR = (LEFTARG = name, RIGHTARG = text, FUNCTION = nearer);
SELECT etl_set_template('hostile', $$SELECT lid, {portal} AS portal, '{1}'::setup_rights.trap[] AS a,
    '(1)'::setup_rights.trap_row AS b, 1::setup_rights.trap AS c FROM {listing}$$);
SELECT etl_add_make('h', 'mapping', mart => 'h', template => 'hostile', terminal => $$a = '{2}'$$);
RESET ROLE;
SELECT DISTINCT * FROM seen ORDER BY 1, 2, 3;
TRUNCATE seen;
-- As a superuser, with a search_path that the owner could fill.
SET search_path = setup_rights, pg_catalog;
SELECT public.etl_refresh_make('h');
SELECT DISTINCT * FROM seen ORDER BY 1, 2, 3;
TRUNCATE seen;
SELECT public.etl_add_portal('s', 'listing', 'customer', 'stat', 'prices');
SHOW search_path;
SELECT portal FROM etl.source WHERE make = 'h' ORDER BY 1;
SELECT DISTINCT * FROM seen ORDER BY 1, 2, 3;
TRUNCATE seen;
SELECT public.etl_drop_portal('s');
SELECT public.etl_drop_make('h');
SELECT * FROM seen;
SET search_path = setup_rights, public;
SELECT session_user = current_user AS same, rolsuper FROM pg_roles WHERE rolname = 'regress_setup_owner';

-- Rates serve everybody: who may not act for the owner of those that are set leaves them alone.
CREATE TABLE rates_one (country text, currency text, valid_from date, rate numeric);
CREATE TABLE rates_two (country text, currency text, valid_from date, rate numeric);
GRANT SELECT ON rates_two TO regress_setup_other;
SET ROLE regress_setup_other;
SELECT attempt($$SELECT etl_set_rates('rates_one')$$);
SELECT etl_set_rates('rates_two');
RESET ROLE;
SELECT etl_set_rates('rates_one');
SET ROLE regress_setup_other;
SELECT attempt($$SELECT etl_set_rates('rates_two')$$);
SELECT attempt($$SELECT etl_set_rates(NULL)$$);
RESET ROLE;

SELECT etl_set_rates(NULL), etl_drop_make('m'), etl_drop_template('t'), etl_drop_template('hostile');
SELECT count(etl_drop_portal(portal)) FROM etl.portal;
REVOKE EXECUTE ON FUNCTION etl_add_portal, etl_drop_portal, etl_add_make, etl_drop_make, etl_refresh_make, etl_set_template,
    etl_drop_template, etl_set_rates FROM PUBLIC;
-- As installed, nobody may call them.
SELECT count(*) FROM pg_proc WHERE proname ~ '^etl_(add|drop|refresh|set)_' AND has_function_privilege('regress_setup_other', oid, 'EXECUTE');
DROP SCHEMA setup_rights CASCADE;
DROP ROLE regress_setup_member, regress_setup_owner, regress_setup_other, regress_setup_nologin, "regress setup ""Q""";
