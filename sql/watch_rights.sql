-- Who may watch, who may write to a watched log, and what nobody gains by it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA watch_rights;
SET search_path = watch_rights, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE ROLE regress_watch_log LOGIN;      -- owns the log
CREATE ROLE regress_watch_owner LOGIN;    -- owns the portal
CREATE ROLE regress_watch_member LOGIN IN ROLE regress_watch_owner;
CREATE ROLE regress_watch_writer LOGIN;   -- may insert, no more
CREATE ROLE regress_watch_other LOGIN;
GRANT USAGE, CREATE ON SCHEMA watch_rights TO regress_watch_owner, regress_watch_log, regress_watch_other;
GRANT USAGE ON SCHEMA watch_rights TO PUBLIC;
GRANT EXECUTE ON FUNCTION etl_add_portal, etl_watch_prices, etl_unwatch_prices, etl_check_prices, etl_on_price_change, etl_fold_prices
    TO regress_watch_owner, regress_watch_member, regress_watch_other;
SET ROLE regress_watch_log;
CREATE TABLE log (lid bigint, price numeric(12,2), dt date);
CREATE INDEX ON log (lid);
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
GRANT SELECT ON log, listing TO regress_watch_owner;
GRANT INSERT ON log TO regress_watch_writer;
SET ROLE regress_watch_owner;
SELECT etl_add_portal('p', 'listing', 'listing', 'listing', 'log');

-- NULL and nonsense
SELECT attempt('SELECT etl_watch_prices(NULL)');
SELECT attempt($$SELECT etl_watch_prices('nosuch')$$);
SELECT attempt('SELECT etl_unwatch_prices(NULL)');
SELECT attempt($$SELECT etl_unwatch_prices('nosuch')$$);
SELECT attempt($$SELECT count(*) FROM etl_check_prices('p', 0)$$);
SELECT attempt($$SELECT count(*) FROM etl_check_prices('p', -1)$$);
SELECT count(*) FROM etl_check_prices('p', 9223372036854775807);
SELECT attempt($$SELECT count(*) FROM etl_check_prices('nosuch')$$);
SELECT attempt($$SELECT count(*) FROM etl_check_prices(NULL)$$);
SELECT attempt($$SELECT count(*) FROM etl_check_prices('p', NULL)$$);
SELECT attempt($$SELECT etl_on_price_change('p', 'c')$$);
SELECT attempt('SELECT etl.fold_price_events()');
SELECT attempt('SELECT etl.follow_watched()');

-- TRIGGER on the log is needed, by the owner of the portal; a stranger may nothing
SELECT attempt($$SELECT etl_watch_prices('p')$$);
SET ROLE regress_watch_other;
SELECT attempt($$SELECT etl_watch_prices('p')$$);
SELECT attempt($$SELECT etl_unwatch_prices('p')$$);
SELECT attempt($$SELECT count(*) FROM etl_check_prices('p')$$);
SET ROLE regress_watch_log;
GRANT TRIGGER ON log TO regress_watch_owner;
SET ROLE regress_watch_member;
SELECT attempt($$SELECT etl_watch_prices('p')$$);
-- ... and so for its channel
SELECT attempt($$SELECT etl_on_price_change('p', 'c')$$);
SELECT attempt($$SELECT etl_on_price_change('p', '')$$);
SELECT attempt($$SELECT etl_on_price_change('p', repeat('ü', 32))$$);
SELECT attempt($$SELECT etl_on_price_change(NULL, 'c')$$);
SELECT attempt($$SELECT etl_on_price_change('nosuch', 'c')$$);
SET ROLE regress_watch_other;
SELECT attempt($$SELECT etl_on_price_change('p', NULL)$$);
SET ROLE regress_watch_member;
SELECT attempt($$SELECT etl_on_price_change('p', NULL)$$);
BEGIN TRANSACTION READ ONLY;
SELECT etl_watch_prices('p');
ROLLBACK;

-- A writer with INSERT on the log alone
SET ROLE regress_watch_writer;
INSERT INTO log VALUES (1, 10, '2020-01-01'), (1, 20, '2020-01-02');
SELECT attempt('SELECT * FROM price_state_p');
SELECT attempt('UPDATE log SET price = 1');
RESET ROLE;
SELECT lid, first_price, last_price, price_min, price_max FROM price_state_p;
DELETE FROM log WHERE price = 20;
SELECT lid, first_price, last_price, price_min, price_max FROM price_state_p;

-- The function does nothing for a table that is not a watched log, whoever put it there and however it is called
SET ROLE regress_watch_other;
CREATE TABLE mine (lid bigint, price numeric(12,2), dt date);
SELECT attempt('CREATE TRIGGER t AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION etl.fold_price_events()');
RESET ROLE;
GRANT EXECUTE ON FUNCTION etl.fold_price_events() TO regress_watch_other;
SET ROLE regress_watch_other;
CREATE TRIGGER t AFTER INSERT ON mine REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION etl.fold_price_events('p', 'log');
SELECT attempt($$INSERT INTO mine VALUES (1, 1000, '2030-01-01')$$);
RESET ROLE;
CREATE TRIGGER before BEFORE INSERT ON log FOR EACH STATEMENT EXECUTE FUNCTION etl.fold_price_events();
SELECT attempt($$INSERT INTO log VALUES (1, 1000, '2030-01-01')$$);
DROP TRIGGER before ON log;
CREATE TRIGGER t AFTER INSERT ON log FOR EACH STATEMENT EXECUTE FUNCTION etl.fold_price_events();
SELECT attempt($$INSERT INTO log VALUES (1, 1000, '2030-01-01')$$);
DROP TRIGGER t ON log;
REVOKE EXECUTE ON FUNCTION etl.fold_price_events() FROM regress_watch_other;

-- Hostile: the log's owner shadows functions and operators, puts an index over a function and a policy on the log, the
-- portal's owner a trigger on the price state; a superuser writes. Nothing of it runs with rights of others.
CREATE TABLE ran (who text, whose text);
GRANT INSERT ON ran TO PUBLIC;
SET ROLE regress_watch_log;
CREATE FUNCTION spy(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    INSERT INTO watch_rights.ran VALUES (current_user, 'the log''s');
    RETURN $1;
END $$;
CREATE FUNCTION equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watch_rights.ran VALUES (current_user, 'operator');
    RETURN true;
END $$;
CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = equal);
ALTER TABLE log ENABLE ROW LEVEL SECURITY;
CREATE POLICY spying ON log USING (spy(lid) > 0) WITH CHECK (true);
RESET ROLE;
SET search_path = watch_rights, pg_catalog, public;
INSERT INTO log VALUES (1, 5, '2019-01-01'), (2, 1, '2020-01-01');
DELETE FROM log WHERE price = 5;
TRUNCATE log;
INSERT INTO log VALUES (3, 5, '2019-01-01');
SET search_path = watch_rights, public;
SELECT DISTINCT * FROM ran;
SELECT lid, first_price FROM price_state_p ORDER BY lid;
SET ROLE regress_watch_owner;
CREATE FUNCTION grab() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watch_rights.ran VALUES (current_user, 'the state''s');
    RETURN NEW;
END $$;
CREATE TRIGGER grab BEFORE INSERT OR UPDATE ON price_state_p FOR EACH ROW EXECUTE FUNCTION grab();
RESET ROLE;
INSERT INTO log VALUES (4, 5, '2019-01-01');
SELECT DISTINCT * FROM ran;
SELECT lid, first_price FROM price_state_p ORDER BY lid;
SELECT portal, cause FROM etl.price_gap WHERE NOT is_start ORDER BY xid;
SET ROLE regress_watch_writer;
INSERT INTO log VALUES (5, 5, '2019-01-01');
RESET ROLE;

-- Owners that went: the writer is not stopped
DROP TRIGGER grab ON price_state_p;
SET client_min_messages = error;
DROP TABLE price_state_p CASCADE;
SET ROLE regress_watch_writer;
INSERT INTO log VALUES (6, 5, '2019-01-01');
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA watch_rights CASCADE;
DROP EXTENSION pg_etl;
DROP ROLE regress_watch_log, regress_watch_owner, regress_watch_member, regress_watch_writer, regress_watch_other;
