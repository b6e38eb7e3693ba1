-- Who may watch sources, who may write to them then, and what nobody gains by it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA capture_rights;
SET search_path = capture_rights, public;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; m text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE ROLE regress_capture_sources LOGIN;   -- owns the sources
CREATE ROLE regress_capture_owner LOGIN;     -- owns the make
CREATE ROLE regress_capture_member LOGIN IN ROLE regress_capture_owner;
CREATE ROLE regress_capture_writer LOGIN;    -- may write to the sources, no more
CREATE ROLE regress_capture_other LOGIN;
GRANT USAGE, CREATE ON SCHEMA capture_rights TO regress_capture_owner, regress_capture_sources, regress_capture_other;
GRANT USAGE ON SCHEMA capture_rights TO PUBLIC;
GRANT EXECUTE ON FUNCTION etl_add_portal, etl_add_make, etl_set_template, etl_watch_sources, etl_unwatch_sources
    TO regress_capture_owner, regress_capture_member, regress_capture_other;
SET ROLE regress_capture_sources;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric, dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY);
GRANT SELECT ON listing, customer, stat, prices, mapping TO regress_capture_owner;
GRANT SELECT, INSERT, DELETE ON listing TO regress_capture_writer;
SET ROLE regress_capture_owner;
SELECT etl_set_template('small', 'SELECT l.lid, {portal} AS portal FROM {listing} l JOIN {mapping} m USING (lid)');
SELECT attempt($$SELECT etl_add_make('alone', 'mapping', 'mart', template => 'small')$$);
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');
SELECT etl_add_make('m', 'mapping', 'mart', template => 'small');

-- NULL and nonsense
SELECT attempt('SELECT etl_watch_sources(NULL)');
SELECT attempt($$SELECT etl_watch_sources('nosuch')$$);
SELECT attempt($$SELECT etl_watch_sources('')$$);
SELECT attempt('SELECT etl_unwatch_sources(NULL)');
SELECT attempt($$SELECT etl_unwatch_sources('nosuch')$$);
SELECT attempt($$SELECT etl_unwatch_sources('m')$$);
SELECT attempt('SELECT etl.capture_changes()');
SELECT attempt('SELECT etl.note_source_fault(0)');
SELECT attempt('SELECT etl.consume_captured(1)');
SELECT attempt('TABLE etl.dirty');

-- TRIGGER on every source is needed, by the owner of the make; a stranger may nothing
SELECT attempt($$SELECT etl_watch_sources('m')$$);
SET ROLE regress_capture_sources;
GRANT TRIGGER ON listing, customer, stat TO regress_capture_owner;
SET ROLE regress_capture_owner;
SELECT attempt($$SELECT etl_watch_sources('m')$$);
SET ROLE regress_capture_other;
SELECT attempt($$SELECT etl_watch_sources('m')$$);
SELECT attempt($$SELECT etl_unwatch_sources('m')$$);
SET ROLE regress_capture_sources;
GRANT TRIGGER ON mapping TO regress_capture_owner;
SET ROLE regress_capture_member;
SELECT attempt($$SELECT etl_watch_sources('m')$$);
SELECT attempt($$SELECT etl_watch_sources('m')$$);
BEGIN TRANSACTION READ ONLY;
SELECT etl_watch_sources('m');
ROLLBACK;
BEGIN TRANSACTION READ ONLY;
SELECT etl_unwatch_sources('m');
ROLLBACK;
RESET ROLE;
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgfoid = 'etl.capture_changes'::regproc ORDER BY 1, 2;

-- A writer with no other right than to write; what it cannot see, and who can
SET ROLE regress_capture_writer;
INSERT INTO listing VALUES (1, 10);
SELECT attempt('TABLE etl.dirty');
SELECT attempt('TRUNCATE listing');
DELETE FROM listing;
SELECT count(*) FROM etl.captured_key;
SELECT count(*) FROM etl_health;
RESET ROLE;
SELECT source::regclass, key FROM etl.dirty;
SET ROLE regress_capture_owner;
SELECT name, relation, state FROM etl_health WHERE subject = 'capture' ORDER BY relation;
RESET ROLE;

-- The function does nothing for a table that is no source, whoever put it there and however it is called
SET ROLE regress_capture_other;
CREATE TABLE mine (lid bigint);
SELECT attempt('CREATE TRIGGER t AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION etl.capture_changes()');
RESET ROLE;
GRANT EXECUTE ON FUNCTION etl.capture_changes() TO regress_capture_other;
SET ROLE regress_capture_other;
CREATE TRIGGER t AFTER INSERT ON mine REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION etl.capture_changes('p');
SELECT attempt('INSERT INTO mine VALUES (1)');
RESET ROLE;
CREATE TRIGGER before BEFORE INSERT ON listing FOR EACH STATEMENT EXECUTE FUNCTION etl.capture_changes();
SELECT attempt('INSERT INTO listing VALUES (2, 1)');
DROP TRIGGER before ON listing;
CREATE TRIGGER t AFTER INSERT ON listing FOR EACH STATEMENT EXECUTE FUNCTION etl.capture_changes();
SELECT attempt('INSERT INTO listing VALUES (2, 1)');
DROP TRIGGER t ON listing;
CREATE TRIGGER t AFTER INSERT ON listing FOR EACH ROW EXECUTE FUNCTION etl.capture_changes();
SELECT attempt('INSERT INTO listing VALUES (2, 1)');
DROP TRIGGER t ON listing;
SELECT source::regclass, key FROM etl.dirty;

-- What can't be watched
CREATE VIEW listings AS TABLE listing;
CREATE TABLE named (acc_id text);
CREATE UNLOGGED TABLE light (lid bigint);
SELECT etl_add_portal('v', 'listings', 'customer', 'stat', 'prices'), etl_add_portal('a', 'listing', 'named', 'stat', 'prices'),
       etl_add_portal('u', 'listing', 'customer', 'light', 'prices');
SELECT etl_add_make('v', 'mapping', 'mart_v', template => 'small', portals => '{v}'),
       etl_add_make('a', 'mapping', 'mart_a', template => 'small', portals => '{a}'),
       etl_add_make('u', 'mapping', 'mart_u', template => 'small', portals => '{u}');
SELECT attempt($$SELECT etl_watch_sources('v')$$);
SELECT attempt($$SELECT etl_watch_sources('a')$$);
SELECT attempt($$SELECT etl_watch_sources('u')$$);
SELECT make FROM etl.source_watch;

-- Comments
SELECT c.relname, obj_description(c.oid, 'pg_class') IS NULL AS lacks_comment FROM pg_class c
WHERE c.relnamespace = 'etl'::regnamespace AND c.relname ~ 'captured|source_|consumed|dirty|coverage|watch_' AND c.relkind IN ('r', 'v') ORDER BY 1;

DROP SCHEMA capture_rights CASCADE;
DROP EXTENSION pg_etl;
DROP ROLE regress_capture_sources, regress_capture_owner, regress_capture_member, regress_capture_writer, regress_capture_other;
