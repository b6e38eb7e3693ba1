-- How the past weighs: who looks at one run reads its tasks only, and old runs go when new ones come.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA look_history;
SET search_path = look_history, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE prices (lid bigint, price numeric(12,2), dt date);
SELECT etl_add_portal('mobile', 'listing', 'customer', 'stat', 'prices');

-- Sixty folds that have ended, with 200 tasks each, and as many seeds.
INSERT INTO etl.run (kind, make, portal, owner, requested_by, workers, definition, settings, system_identifier, database, state,
                     started_at, ended_at)
SELECT k.kind, k.make, k.portal, current_user::regrole, current_user::regrole, 1, 'old', '{}', s.system_identifier, d.oid, k.state, now(), now()
FROM (VALUES ('fold', NULL, 'mobile', 'done'), ('seed', 'bmw', NULL, 'failed')) k (kind, make, portal, state),
     generate_series(1, 60), pg_control_system() s, pg_database d WHERE d.datname = current_database();
INSERT INTO etl.task (run_id, task_no, phase, kind, state, rows)
SELECT r.run_id, n, 0, 'fold', 'done', 1 FROM etl.run r, generate_series(1, 200) n;
ANALYZE etl.run, etl.task;

-- Rows of etl.task that a query reads.
CREATE FUNCTION tasks_read(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    read numeric;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING off, FORMAT json) ' || query INTO plan;
    WITH RECURSIVE node AS (
        SELECT plan -> 0 -> 'Plan' AS node
        UNION ALL
        SELECT json_array_elements(node -> 'Plans') FROM node
    )
    SELECT sum(((node ->> 'Actual Rows')::numeric + COALESCE((node ->> 'Rows Removed by Filter')::numeric, 0))
               * (node ->> 'Actual Loops')::numeric)
    INTO read FROM node WHERE node ->> 'Relation Name' = 'task';
    RETURN read;
END $$;
SELECT what, tasks_read(format(query, (SELECT max(run_id) FROM etl.run)))
FROM (VALUES (1, 'etl_wait', 'SELECT * FROM etl.run_progress WHERE run_id = %s'),
             (2, 'etl_runs', 'SELECT * FROM etl_runs WHERE run_id = %s'),
             (3, 'etl_progress', 'SELECT * FROM etl_progress')) q (n, what, query) ORDER BY n;
SELECT kind, make, portal, state, done, total, rows FROM etl_progress ORDER BY kind;

-- A request for a new run forgets the oldest of its kind, some at a time; the seeds stay. Rolled back, so that no worker starts.
BEGIN;
SELECT portal, state FROM etl_fold_prices('mobile');
SELECT kind, count(*) FROM etl.run WHERE state IN ('done', 'failed') GROUP BY kind ORDER BY kind;
ROLLBACK;
BEGIN;
UPDATE etl.run SET state = 'published' WHERE kind = 'fold' AND run_id = (SELECT min(run_id) FROM etl.run);
SELECT portal, state FROM etl_fold_prices('mobile');
SELECT count(*), count(*) FILTER (WHERE state = 'published') AS published FROM etl.run WHERE kind = 'fold' AND state <> 'queued';
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA look_history CASCADE;
DROP EXTENSION pg_etl;
