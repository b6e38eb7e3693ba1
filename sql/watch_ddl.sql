-- DDL on watched price logs, and DDL that has nothing to do with them: what goes on, what becomes stale, what is refused.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA watch_ddl;
SET search_path = watch_ddl, public;
CREATE ROLE regress_watch_ddl LOGIN;         -- owns log and portal
CREATE ROLE regress_watch_heir;
CREATE ROLE regress_watch_nobody LOGIN;      -- has no right at all
GRANT USAGE, CREATE ON SCHEMA watch_ddl TO regress_watch_ddl;
GRANT EXECUTE ON FUNCTION etl_add_portal, etl_watch_prices, etl_unwatch_prices, etl_check_prices, etl_fold_prices TO regress_watch_ddl;
CREATE VIEW health AS SELECT subject, name, CASE WHEN relation !~ '^[0-9]+$' THEN relation END AS relation, state, detail FROM etl_health ORDER BY subject, name, relation;
CREATE PROCEDURE fold(portal text) LANGUAGE plpgsql AS $$
DECLARE
    run bigint;
BEGIN
    SELECT DISTINCT r.run_id INTO run FROM etl_fold_prices(portal) r;
    COMMIT;
    CALL etl_wait(run);
END $$;
SET ROLE regress_watch_ddl;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE log (lid bigint, price numeric(12,2), dt date, k int) PARTITION BY LIST (k);
CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);
CREATE INDEX ON log (lid);
SELECT etl_add_portal('p', 'listing', 'listing', 'listing', 'log'), etl_watch_prices('p');
RESET ROLE;
CALL fold('p');

-- Renaming, another schema, another owner: all goes on
CREATE SCHEMA watch_ddl_2;
ALTER TABLE log RENAME TO events;
ALTER TABLE log_1 SET SCHEMA watch_ddl_2;
ALTER TABLE events RENAME COLUMN k TO kind;
ALTER TABLE price_state_p RENAME TO states;
REASSIGN OWNED BY regress_watch_ddl TO regress_watch_heir;
INSERT INTO events VALUES (1, 10, '2020-01-01', 1);
INSERT INTO watch_ddl_2.log_1 VALUES (2, 20, '2020-01-01', 1);
TABLE health;
SELECT lid, last_price FROM states ORDER BY lid;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgfoid = 'etl.fold_price_events'::regproc ORDER BY 1, 2;
ALTER TABLE events RENAME TO log;
ALTER TABLE states RENAME TO price_state_p;
ALTER TABLE watch_ddl_2.log_1 SET SCHEMA watch_ddl;
-- ... but a fold, which the portal's owner has to be able to do
CALL fold('p');
REASSIGN OWNED BY regress_watch_heir TO regress_watch_ddl;
CALL fold('p');

-- A column that is gone or of another name: stale with the first write, and writers are not stopped
ALTER TABLE log RENAME COLUMN price TO amount;
INSERT INTO log VALUES (3, 30, '2020-01-01', 1);
TABLE health;
ALTER TABLE log RENAME COLUMN amount TO price;
CALL fold('p');
TABLE health;

-- A partition that goes by way of its schema or owner
CREATE SCHEMA watch_ddl_3 CREATE TABLE log_2 PARTITION OF watch_ddl.log FOR VALUES IN (2);
INSERT INTO log VALUES (4, 40, '2020-01-01', 2);
DROP SCHEMA watch_ddl_3 CASCADE;
TABLE health;
CALL fold('p');
SELECT lid FROM price_state_p ORDER BY lid;
CREATE TABLE log_3 PARTITION OF log FOR VALUES IN (3);
INSERT INTO log VALUES (5, 50, '2020-01-01', 3);
ALTER TABLE log_3 OWNER TO regress_watch_nobody;
DROP OWNED BY regress_watch_nobody;
TABLE health;
CALL fold('p');
TABLE health;

-- The log itself; the portal can be unwatched and dropped then
DROP TABLE log;
TABLE health;
SELECT etl_unwatch_prices('p'), etl_drop_portal('p');
SELECT count(*) FROM etl.watched_relation;
DROP TABLE price_state_p;

-- DROP EXTENSION with a watched portal, without CASCADE: log and price state stay; made anew, it takes the state over
CREATE TABLE log (lid bigint, price numeric(12,2), dt date);
CREATE INDEX ON log (lid);
SELECT etl_add_portal('p', 'listing', 'listing', 'listing', 'log'), etl_watch_prices('p');
INSERT INTO log VALUES (1, 10, '2020-01-01');
DROP VIEW health;
DROP EXTENSION pg_etl;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'log'::regclass;
SELECT count(*) FROM pg_event_trigger;
INSERT INTO log VALUES (2, 20, '2020-01-01');
SELECT lid, last_price FROM price_state_p;
CREATE EXTENSION pg_etl SCHEMA public;
CREATE VIEW health AS SELECT subject, name, CASE WHEN relation !~ '^[0-9]+$' THEN relation END AS relation, state, detail FROM etl_health ORDER BY subject, name, relation;
SELECT etl_add_portal('p', 'listing', 'listing', 'listing', 'log'), etl_watch_prices('p');
TABLE health;
CALL fold('p');
TABLE health;
SELECT lid, last_price FROM price_state_p;

-- DDL of all kinds by a role without any right, while something is watched: our event triggers are in nobody's way
GRANT TEMPORARY ON DATABASE :"DBNAME" TO regress_watch_nobody;
GRANT USAGE, CREATE ON SCHEMA watch_ddl TO regress_watch_nobody;
REVOKE ALL ON SCHEMA etl FROM PUBLIC;
SET ROLE regress_watch_nobody;
SELECT has_schema_privilege('etl', 'USAGE');
CREATE TABLE mine (id int PRIMARY KEY, price int);
INSERT INTO mine VALUES (1, 1);
ALTER TABLE mine ALTER price TYPE bigint USING price + 1;
CREATE INDEX ON mine (price);
CREATE RULE r AS ON DELETE TO mine DO INSTEAD NOTHING;
CREATE TABLE mine_too AS SELECT * FROM mine;
SELECT * INTO TEMPORARY mine_three FROM mine;
CREATE FUNCTION ddl() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE inner_1 (a int) ON COMMIT DROP;
    ALTER TABLE inner_1 ADD b int DEFAULT 1;
    CREATE TABLE parted (a int) PARTITION BY LIST (a);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
    DROP TABLE parted;
    RETURN 1;
END $$;
SELECT ddl();
BEGIN;
CREATE TEMP TABLE gone (a int) ON COMMIT DROP;
SAVEPOINT s;
DROP TABLE mine_too;
ROLLBACK TO s;
COMMIT;
BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE;
DROP TABLE mine_too;
COMMIT;
DROP TABLE mine;
RESET ROLE;
TABLE health;

-- What \d and the comments say
\d log
SELECT c.relname, obj_description(c.oid, 'pg_class') IS NULL AS lacks_comment FROM pg_class c
WHERE c.relnamespace = 'etl'::regnamespace AND c.relname ~ 'watch|price' AND c.relkind IN ('r', 'v') ORDER BY 1;
SELECT p.proname FROM pg_proc p WHERE p.proname ~ 'price' AND obj_description(p.oid, 'pg_proc') IS NULL
  AND p.pronamespace::regnamespace::text IN ('etl', 'public');
SELECT evtname FROM pg_event_trigger WHERE obj_description(oid, 'pg_event_trigger') IS NULL;
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'etl'::regnamespace AND c.relname ~ 'watch|price' AND c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NULL;

-- The ninth portal of one log is refused when it is watched, not at the first INSERT; as is a partition that would be
SELECT etl_add_portal('n' || i, 'listing', 'listing', 'listing', 'log') FROM generate_series(1, 8) i;
SELECT etl_watch_prices('n' || i) FROM generate_series(1, 7) i;
SELECT etl_watch_prices('n8');
INSERT INTO log VALUES (9, 90, '2020-01-01');
SELECT (SELECT count(*) FROM price_state_p) AS p, (SELECT count(*) FROM price_state_n7) AS n7, (SELECT count(*) FROM price_state_n8) AS n8;
CREATE TABLE outer_log (lid bigint, price numeric(12,2), dt date);
SELECT etl_add_portal('o', 'listing', 'listing', 'listing', 'outer_log'), etl_watch_prices('o');
ALTER TABLE log INHERIT outer_log;
SELECT etl_unwatch_prices('n7'), etl_watch_prices('n8');
INSERT INTO log VALUES (10, 90, '2020-01-01');
SELECT (SELECT count(*) FROM price_state_n7) AS n7, (SELECT count(*) FROM price_state_n8) AS n8;

-- Rows come to a log that is part of another table through that one as well, which fires none of its triggers
CREATE TABLE whole (lid bigint, price numeric(12,2), dt date) PARTITION BY RANGE (dt);
CREATE TABLE part_of_it PARTITION OF whole FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE INDEX ON part_of_it (lid);
SELECT etl_add_portal('w', 'listing', 'listing', 'listing', 'part_of_it');
SELECT etl_watch_prices('w');
ALTER TABLE whole DETACH PARTITION part_of_it;
SELECT etl_watch_prices('w');
CALL fold('w');
SELECT state, detail FROM health WHERE subject = 'price state' AND name = 'w';
ALTER TABLE whole ATTACH PARTITION part_of_it FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
SELECT state, detail FROM health WHERE subject = 'price state' AND name = 'w';
SELECT etl_drop_portal('w');
DROP TABLE whole;

SET client_min_messages = warning;
DROP SCHEMA watch_ddl CASCADE;
DROP SCHEMA watch_ddl_2 CASCADE;
DROP EXTENSION pg_etl;
DROP OWNED BY regress_watch_nobody;
DROP ROLE regress_watch_ddl, regress_watch_heir, regress_watch_nobody;
