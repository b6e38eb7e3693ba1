-- What goes around the triggers on sources has all rows compared by the next sync; what has been consumed, and by whom.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA capture_ddl;
SET search_path = capture_ddl, public;
CREATE TABLE listing (lid bigint, acc_id bigint, modified timestamptz, k int) PARTITION BY LIST (k);
CREATE TABLE listing_1 PARTITION OF listing FOR VALUES IN (1);
CREATE INDEX ON listing (modified);
CREATE INDEX ON listing_1 (acc_id);
CREATE TABLE customer (acc_id bigint PRIMARY KEY, modified text);
CREATE TABLE stat (lid bigint PRIMARY KEY, modified date);
CREATE INDEX ON stat (modified) WHERE lid > 0;
CREATE TABLE prices (lid bigint, price numeric, dt date);
CREATE TABLE mapping (lid bigint PRIMARY KEY, modified timestamptz);
CREATE TABLE mapping_n (LIKE mapping);
CREATE VIEW seen AS SELECT * FROM stat;
SELECT etl_set_template('small', 'SELECT l.lid, {portal} AS portal FROM {listing} l JOIN {mapping} m USING (lid)');
SELECT etl_add_portal('p', 'listing', 'customer', 'stat', 'prices');
SELECT etl_add_make('m', 'mapping', 'mart', template => 'small'), etl_add_make('n', 'mapping_n', 'mart_n', template => 'small');

-- What etl_health recommends for syncs
SELECT name, relation, state, detail, hint FROM etl_health WHERE subject = 'source' ORDER BY 1, 2, 4;
CREATE INDEX ON listing (acc_id);
CREATE INDEX ON stat (modified);
CREATE INDEX ON mapping (modified);
ALTER TABLE customer ALTER modified TYPE timestamp USING NULL;
CREATE INDEX ON customer (modified);
SELECT name, relation, state FROM etl_health WHERE subject = 'source' ORDER BY 1, 2, 3;
SELECT count(*) FROM etl_health WHERE subject IN ('transaction', 'setting');
SET track_activities = off;
SELECT subject, name, state, detail, hint FROM etl_health WHERE subject = 'setting';
RESET track_activities;

-- Ends a run of a make, as a worker does; it was asked for at that moment.
CREATE FUNCTION ended(make text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    run bigint;
BEGIN
    INSERT INTO etl.run (kind, make, state, owner, requested_by, workers, definition, settings, system_identifier, database)
    VALUES ('sync', make, 'done', current_user::regrole, current_user::regrole, 1, '', '{}', 0, 0) RETURNING run_id INTO run;
    INSERT INTO etl.run_portal (run_id, portal, staging) SELECT run, p.portal, p.relation FROM etl.partition p
    JOIN pg_inherits i ON i.inhrelid = p.relation WHERE p.make = ended.make;
    RETURN run;
END $$;
CREATE VIEW health AS SELECT name, relation, state, detail FROM etl_health WHERE subject = 'capture' ORDER BY 1, 2;
CREATE VIEW gap AS SELECT make, regexp_replace(etl.capture_gap(relation), '^\d+', 'what had an OID') AS capture_gap
FROM etl.partition JOIN pg_inherits ON inhrelid = relation ORDER BY 1;
CREATE VIEW queued AS SELECT p.make, k.source::regclass, k.key FROM etl.captured_key k JOIN etl.partition p ON p.relation = k.partition ORDER BY 1, 2, 3;
CREATE TABLE mart_p PARTITION OF mart FOR VALUES IN ('p');
CREATE TABLE mart_n_p PARTITION OF mart_n FOR VALUES IN ('p');
INSERT INTO etl.partition VALUES ('mart_p', 'm', 'p', now()), ('mart_n_p', 'n', 'p', now());
SELECT etl_watch_sources('m'), etl_watch_sources('n');
INSERT INTO listing VALUES (1, 1, now(), 1);
TABLE health;
TABLE gap;
-- ... a run that was asked for before takes nothing; one of another make neither
SELECT etl.consume_captured(ended('m'));
TABLE gap;
TABLE queued;
INSERT INTO listing VALUES (2, 1, now(), 1);
INSERT INTO mapping VALUES (3);
INSERT INTO mapping_n VALUES (4);
TABLE queued;
SELECT etl.consume_captured(ended('n'));
TABLE gap;
INSERT INTO listing VALUES (5, 1, now(), 1);
TABLE queued;
SELECT source::regclass, key FROM etl.dirty ORDER BY key;
SELECT etl.consume_captured(ended('m'));
TABLE queued;
SELECT source::regclass, key FROM etl.dirty ORDER BY key;
-- ... nor does a run take what was written after it was asked for
SELECT ended('m') AS m, ended('n') AS n \gset
INSERT INTO listing VALUES (6, 1, now(), 1);
SELECT etl.consume_captured(:m), etl.consume_captured(:n);
TABLE queued;
SELECT source::regclass, key FROM etl.dirty ORDER BY key;
-- ... a restatement of a range has had nothing
SELECT ended('m') AS m \gset
UPDATE etl.run SET portal = 'p' WHERE run_id = :m;
SELECT etl.consume_captured(:m);
TABLE queued;
SELECT etl.consume_captured(ended('m')), etl.consume_captured(ended('n'));
TABLE queued;
SELECT count(*) FROM etl.dirty;

-- Around the triggers
CREATE PROCEDURE consume() LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
    PERFORM etl.consume_captured(ended('m')), etl.consume_captured(ended('n'));
    IF EXISTS (SELECT FROM gap WHERE capture_gap IS NOT NULL AND make = 'm') THEN
        RAISE WARNING 'still a gap: %', (SELECT capture_gap FROM gap WHERE make = 'm');
    END IF;
END $$;
TRUNCATE listing_1;
TABLE gap;
CALL consume();
CREATE TABLE listing_2 PARTITION OF listing FOR VALUES IN (2);
INSERT INTO listing VALUES (7, 1, now(), 2);
INSERT INTO listing_2 VALUES (8, 1, now(), 2);
TABLE gap;
TABLE queued;
ALTER TABLE listing DETACH PARTITION listing_2;
TABLE gap;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'listing_2'::regclass;
CALL consume();
ALTER TABLE listing ATTACH PARTITION listing_2 FOR VALUES IN (2);
TABLE gap;
CALL consume();
DROP TABLE listing_2;
TABLE gap;
CALL consume();
ALTER TABLE stat ADD late int DEFAULT random();
TABLE gap;
CALL consume();
ALTER TABLE mapping DISABLE TRIGGER etl_capture_delete;
TABLE gap;
TABLE health;
CALL consume();
SELECT etl_watch_sources('m');
TABLE gap;
CALL consume();
TABLE gap;
DROP TRIGGER etl_capture_insert ON mapping;
CALL consume();
SELECT etl_watch_sources('m');
CALL consume();
ALTER TABLE mapping SET UNLOGGED;
CALL consume();
ALTER TABLE mapping SET LOGGED;
CALL consume();
TABLE gap;
-- ... writers are not stopped by a key that is gone
ALTER TABLE customer RENAME acc_id TO account;
INSERT INTO customer (account) VALUES (1);
TABLE gap;
ALTER TABLE customer RENAME account TO acc_id;
CALL consume();
INSERT INTO customer (acc_id) VALUES (2);
TABLE gap;
TABLE queued;
CALL consume();
-- ... names are free to change
ALTER TABLE listing RENAME TO adverts;
INSERT INTO adverts VALUES (9, 1, now(), 1);
TABLE queued;
TABLE health;
ALTER TABLE adverts RENAME TO listing;

-- A partition that is replaced holds nothing up, and has to be compared should it come back
CALL consume();
INSERT INTO listing VALUES (10, 1, now(), 1);
ALTER TABLE mart DETACH PARTITION mart_p;
CREATE TABLE mart_p_2 PARTITION OF mart FOR VALUES IN ('p');
INSERT INTO etl.partition VALUES ('mart_p_2', 'm', 'p', now());
TABLE gap;
CALL consume();
TABLE gap;
SELECT count(*) FROM etl.dirty;
ALTER TABLE mart DETACH PARTITION mart_p_2;
ALTER TABLE mart ATTACH PARTITION mart_p FOR VALUES IN ('p');
INSERT INTO listing VALUES (11, 1, now(), 1);
SELECT etl.consume_captured(ended('n'));
SELECT key FROM etl.dirty;
TABLE gap;
CALL consume();
TABLE gap;

-- Rebuilt sources, and further ones
DROP TABLE mapping CASCADE;
TABLE gap;
CREATE TABLE mapping (lid bigint PRIMARY KEY, modified timestamptz);
SELECT etl_refresh_make('m');
TABLE gap;
TABLE health;
SELECT etl_watch_sources('m');
CALL consume();
TABLE health;
SELECT etl_add_portal('q', 'listing', 'customer', 'seen', 'prices');
TABLE health;
SELECT etl_drop_portal('q');
TABLE health;
SELECT source FROM etl.captured_source ORDER BY source::text;
SELECT etl_drop_make('m');
SELECT source FROM etl.captured_source ORDER BY source::text;
SELECT etl_watch_sources('n');
SELECT etl_unwatch_sources('n'), etl_unwatch_sources('n');
SELECT count(*) FROM etl.captured_source;

-- DROP EXTENSION takes the triggers along, without CASCADE
SELECT etl_watch_sources('n');
SELECT count(*) > 0 FROM pg_trigger WHERE tgname ~ '^etl_capture';
DROP VIEW health, gap, queued;
DROP EXTENSION pg_etl;
SELECT count(*) FROM pg_trigger WHERE tgname ~ '^etl_capture';
INSERT INTO listing VALUES (12, 1, now(), 1);
DROP SCHEMA capture_ddl CASCADE;
