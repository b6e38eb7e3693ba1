-- Looking at runs. Whoever may not steer a run does not see it; members of pg_monitor see all.

-- Who may not see other roles' sessions is still told what takes the slots of his workers: numbers and kinds, no more.
CREATE FUNCTION etl.worker_slots(OUT slots bigint, OUT by_whom text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT COALESCE(sum(b.n), 0)::bigint, COALESCE(string_agg(format('%s %s', b.n, b.backend_type), ', '), 'nobody')
    FROM (SELECT a.backend_type, count(*) AS n FROM pg_stat_activity a
          WHERE a.backend_type <> ALL (ARRAY['client backend', 'autovacuum launcher', 'autovacuum worker',
              'background writer', 'checkpointer', 'startup', 'walreceiver', 'walsender', 'walwriter', 'archiver',
              'logger', 'standalone backend'])
          GROUP BY a.backend_type) b;
END;
COMMENT ON FUNCTION etl.worker_slots() IS 'How many background workers there are, and of which kinds';

-- Runs and how much of each is done, from the catalog alone. Nothing volatile in here, and the tasks run by run: who asks
-- for one run reads the tasks of that run only.
CREATE VIEW etl.run_done WITH (security_barrier = true) AS
SELECT r.*, t.done, t.total, t.rows,
       (ARRAY['fold', 'load', 'index', 'check', 'analyze', 'publish', 'analyze', 'find', 'apply', 'compare', 'vacuum',
              'verify'])[t.phase + 1] AS phase,
       CASE WHEN t.total = 0 THEN 0.0
            ELSE round(100.0 * t.done / t.total, 1) END AS percent,
       format('[%s%s]', repeat('#', bar.full), repeat('-', 20 - bar.full)) AS bar
FROM etl.run r
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE t.state = 'done') AS done,
           count(*) AS total,
           COALESCE(sum(t.rows) FILTER (WHERE t.kind NOT IN ('fold', 'index')), sum(t.rows), 0)::bigint AS rows,
           min(t.phase) FILTER (WHERE t.state <> 'done') AS phase
    FROM etl.task t WHERE t.run_id = r.run_id
) t
CROSS JOIN LATERAL (SELECT CASE WHEN t.total = 0 THEN 0
                                ELSE (20 * t.done / t.total)::integer END AS full) bar;
COMMENT ON VIEW etl.run_done IS 'Runs, and how much of each is done';

-- How each run goes, from the catalog and from the locks of live workers; read by etl_progress and etl_wait.
-- A run whose workers are all gone shows as queued: a state is never claimed that nobody works at.
CREATE VIEW etl.run_progress WITH (security_barrier = true) AS
WITH here AS (
    SELECT d.oid AS database, c.system_identifier
    FROM pg_database d, pg_control_system() c
    WHERE d.datname = current_database()
), lock AS MATERIALIZED (
    SELECT l.classid, l.objsubid, l.pid, l.granted, l.mode
    FROM pg_locks l JOIN here ON l.database = here.database
    WHERE l.locktype = 'advisory' AND (l.granted AND l.objsubid IN (25972, 25973) OR NOT l.granted AND l.objsubid = 25975)
), seen AS (
    SELECT r.*,
           r.database = here.database AND r.system_identifier = here.system_identifier AS ours,
           r.state IN ('queued', 'running', 'paused', 'loaded') AS unfinished,
           (SELECT count(*)::integer FROM lock l
            WHERE l.objsubid = 25973 AND l.classid::bigint = (r.run_id & 4294967295)) AS live
    FROM here, etl.run_done r
)
SELECT s.run_id, s.kind, s.make, s.portal, s.owner, s.workers AS workers_asked,
       CASE WHEN s.unfinished AND NOT s.ours THEN 'cancelled'
            WHEN s.state = 'running' AND s.live = 0 THEN 'queued'
            ELSE s.state END AS state,
       s.phase, s.done, s.total, s.percent, s.rows,
       CASE WHEN s.started_at IS NOT NULL THEN round(s.rows / clock.seconds, 1) END AS rows_per_second,
       CASE WHEN s.unfinished AND s.ours AND s.live > 0 AND s.done > 0
            THEN make_interval(secs => (clock.seconds * (s.total - s.done) / s.done)::double precision) END AS eta,
       s.bar, s.live AS workers,
       CASE WHEN NOT s.unfinished OR NOT s.ours THEN NULL
            WHEN s.state = 'paused' THEN concat('etl_resume (', s.why, ')')
            WHEN s.state = 'loaded' THEN 'etl_publish'
            WHEN turn.behind IS NOT NULL THEN format('run %s of the same make', turn.behind)
            WHEN s.live = 0 THEN idle.reason
            ELSE COALESCE(company.reason, s.waiting_for, blocked.reason, retry.reason) END AS waiting_for,
       s.since,
       CASE WHEN s.unfinished AND NOT s.ours THEN 'other cluster' ELSE s.error END AS error,
       s.sqlstate, s.requested_at, s.requested_by, s.started_at, s.ended_at, s.unfinished AND s.ours AS unfinished
FROM seen s
LEFT JOIN LATERAL (SELECT t.behind FROM etl.turn t WHERE t.run_id = s.run_id AND s.state = 'queued') turn ON true
CROSS JOIN LATERAL (SELECT GREATEST(EXTRACT(epoch FROM COALESCE(s.ended_at, clock_timestamp()) - s.started_at),
                                    0.001) AS seconds) clock
LEFT JOIN LATERAL (
    -- nobody works at it: is it the role, the slots, or has merely nobody looked since a crash?
    SELECT CASE
        WHEN pg_is_in_recovery()
            THEN 'the primary: this server is a standby and does not see its workers'
        WHEN NOT COALESCE(o.rolcanlogin OR current_setting('server_version_num')::integer >= 170000, false)
            THEN format('LOGIN of role %s', s.owner)
        WHEN NOT has_database_privilege(s.owner::oid, current_database(), 'CONNECT')
            THEN format('CONNECT of role %s on database %I', s.owner, current_database())
        WHEN mine.workers >= limits.ours
            THEN format('free worker slot: etl.max_workers = %s, all of them busy', limits.ours)
        WHEN used.slots >= limits.all_workers
            THEN format('free worker slot: max_worker_processes = %s, used by %s', limits.all_workers, used.by_whom)
        WHEN clock_timestamp() < s.since + interval '2 seconds'
            THEN 'worker: starting'
        ELSE format('worker: none is at work; etl_wait, another request or the launcher starts one'
                               ' (max_worker_processes = %s, used by %s)', limits.all_workers, used.by_whom)
        END AS reason
    FROM (SELECT current_setting('max_worker_processes')::integer AS all_workers,
                 COALESCE(current_setting('etl.max_workers', true), '8')::integer AS ours) limits
    CROSS JOIN (SELECT count(*) AS workers FROM lock l WHERE l.objsubid = 25972) mine
    CROSS JOIN etl.worker_slots() used
    LEFT JOIN pg_roles o ON o.oid = s.owner
    WHERE s.unfinished AND s.ours AND s.live = 0
) idle ON true
LEFT JOIN LATERAL (
    -- a task under suspicion runs alone: who must wait for another run because of that?
    SELECT CASE l.mode
           WHEN 'ShareLock' THEN format('run %s: a task of it that may bring the server down runs alone', other.run)
           ELSE format('run %s: a task here may bring the server down and is to run alone', other.run)
           END AS reason
    FROM lock mine JOIN lock l ON l.pid = mine.pid AND l.objsubid = 25975 AND NOT l.granted
    CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) b(pid)
    JOIN (SELECT o.pid, o.classid::bigint AS run FROM lock o WHERE o.objsubid = 25973) other ON other.pid = b.pid
    WHERE s.live > 0 AND s.unfinished AND mine.objsubid = 25973 AND mine.classid::bigint = (s.run_id & 4294967295)
      AND other.run <> (s.run_id & 4294967295)
    ORDER BY other.run LIMIT 1
) company ON true
LEFT JOIN LATERAL (
    SELECT format('lock on %s held by pid %s', COALESCE(l.relation::regclass::text, l.locktype), b.pid) AS reason
    FROM etl.task t JOIN pg_locks l ON l.pid = t.pid AND NOT l.granted AND l.locktype NOT IN ('extend', 'page')
    CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) b(pid)
    WHERE s.live > 0 AND t.run_id = s.run_id AND t.state = 'running'
      AND s.unfinished
    LIMIT 1
) blocked ON true
LEFT JOIN LATERAL (
    SELECT format('next attempt of task %s: %s', t.task_no, t.error) AS reason
    FROM etl.task t
    WHERE s.unfinished AND t.run_id = s.run_id AND t.state = 'waiting'
      AND t.not_before > clock_timestamp()
    ORDER BY t.task_no LIMIT 1
) retry ON true;
COMMENT ON VIEW etl.run_progress IS 'How each run goes; users look at etl_progress';

CREATE VIEW @extschema@.etl_progress WITH (security_barrier = true) AS
SELECT p.run_id, p.kind, p.make, p.state, p.phase, p.done, p.total, p.percent, p.rows, p.rows_per_second, p.eta, p.bar,
       p.workers, p.waiting_for, p.since, p.error, p.portal
-- OFFSET keeps the planner from reading the tasks of all runs before it takes the few of them that show.
FROM (SELECT r.run_id, r.owner, r.state IN ('queued', 'running', 'paused', 'loaded') AS unfinished,
             COALESCE(max(r.run_id) FILTER (WHERE r.state NOT IN ('queued', 'running', 'paused', 'loaded'))
                      OVER (PARTITION BY r.kind, r.make, r.portal) <= r.run_id, true) AS newest
      FROM etl.run r) c
CROSS JOIN LATERAL (SELECT * FROM etl.run_progress o WHERE o.run_id = c.run_id OFFSET 0) p
WHERE (c.unfinished OR c.newest) AND (p.unfinished OR c.newest)
  AND (pg_has_role(c.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE'));
COMMENT ON VIEW @extschema@.etl_progress IS 'How the runs go that have not ended, and how the last one of each make and portal ended';

CREATE VIEW @extschema@.etl_runs WITH (security_barrier = true) AS
SELECT p.run_id, p.kind, p.make, p.portal, p.state, p.owner, p.workers_asked AS workers, p.requested_at, p.started_at,
       p.ended_at, p.rows, p.error, p.sqlstate, p.requested_by, p.waiting_for
FROM etl.run_progress p
WHERE pg_has_role(p.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW @extschema@.etl_runs IS 'All runs';

-- A task whose worker is gone waits to be taken up again, whatever its row says.
CREATE VIEW @extschema@.etl_tasks WITH (security_barrier = true) AS
SELECT t.run_id, t.task_no, t.kind, t.portal, t.lid_from, t.lid_to,
       CASE WHEN t.state = 'running' AND l.pid IS NULL AND NOT pg_is_in_recovery() THEN 'waiting' ELSE t.state END AS state,
       t.attempts, t.rows, t.started_at, t.ended_at,
       t.error, t.sqlstate, t.estimated_rows, t.crashes, t.not_before, t.pid, t.costs
FROM etl.task t JOIN etl.run r ON r.run_id = t.run_id
LEFT JOIN (SELECT classid::bigint AS run, objid::bigint AS task_no, pid FROM pg_locks
           WHERE locktype = 'advisory' AND granted AND objsubid = 25974
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) l
    ON t.state = 'running' AND l.run = (t.run_id & 4294967295) AND l.task_no = t.task_no
WHERE pg_has_role(r.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW @extschema@.etl_tasks IS 'The tasks of all runs';

CREATE VIEW @extschema@.etl_events WITH (security_barrier = true) AS
SELECT e.at, e.run_id, e.task_no, e.from_state, e.to_state, e.why, e.event_id
FROM etl.event e JOIN etl.run r ON r.run_id = e.run_id
WHERE pg_has_role(r.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW @extschema@.etl_events IS 'Every change of state of runs and tasks: when, from, to, why';

-- What makes syncs slow: they find what has changed by the column modified, and the listings of a seller by acc_id.
CREATE VIEW etl.source_advice WITH (security_barrier = true) AS
WITH source AS (
    SELECT DISTINCT m.make, m.owner, r.relation AS source, r.by_account
    FROM etl.make m JOIN etl.portal p ON m.portals IS NULL OR p.portal = ANY (m.portals)
    CROSS JOIN LATERAL (VALUES (p.listing::oid, true), (p.listing::oid, false), (p.customer::oid, false),
        (p.stat::oid, false), (m.mapping::oid, false)) r (relation, by_account)
), wanted AS (
    SELECT s.make, s.owner, s.source, s.by_account, c.relkind, a.attname,
           a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) AS is_time
    FROM source s JOIN pg_class c ON c.oid = s.source
    LEFT JOIN pg_attribute a ON a.attrelid = s.source AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname = CASE WHEN s.by_account THEN 'acc_id' ELSE 'modified' END
), indexed AS (
    SELECT DISTINCT i.indrelid AS relation, a.attname
    FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
    WHERE a.attname IN ('acc_id', 'modified') AND i.indisvalid AND i.indpred IS NULL
)
SELECT w.make, w.owner, w.source, 'compared' AS state,
       'it has no column modified of a time type, so every sync compares all rows' AS detail,
       'add a column modified timestamptz that every writer sets to now()' AS hint
FROM wanted w WHERE NOT w.by_account AND w.is_time IS NOT TRUE
UNION ALL
SELECT w.make, w.owner, w.source, 'slow', format('no index of it begins with %I, so %s', w.attname,
           CASE WHEN w.by_account THEN 'a sync after changes of sellers reads all of it' ELSE 'every sync reads all of it' END),
       format('CREATE INDEX ON %s (%I)', w.source::regclass, w.attname)
FROM wanted w LEFT JOIN indexed i ON i.relation = w.source AND i.attname = w.attname
WHERE w.relkind IN ('r', 'p', 'm') AND (w.by_account OR w.is_time) AND w.attname IS NOT NULL AND i.relation IS NULL;
COMMENT ON VIEW etl.source_advice IS 'Sources of makes in which a sync can''t find changes, or only by reading all of them';

CREATE VIEW @extschema@.etl_health WITH (security_barrier = true) AS
SELECT 'price state'::text AS subject, p.portal AS name, p.price_state::text AS relation, p.state, p.state_since AS since,
       p.folded_at AS as_of,
       COALESCE(p.state_cause, CASE p.state
           WHEN 'unfolded' THEN 'the price log has not been folded yet'
           WHEN 'as_of' THEN 'price events since then are not in it' END) AS detail,
       CASE
           WHEN p.fault IS NOT NULL THEN format('SELECT etl_watch_prices(%L), then etl_fold_prices(%L)', p.portal, p.portal)
           WHEN p.state <> 'current' THEN format('SELECT etl_fold_prices(%L)', p.portal) END AS hint
FROM (SELECT o.portal, o.owner, o.price_state, o.folded_at, f.fault,
             -- What event triggers have not seen, since they were disabled, is a gap of unknown age.
             CASE WHEN s.unseen THEN 'stale' ELSE o.state END AS state,
             CASE WHEN NOT s.unseen THEN o.state_since END AS state_since,
             CASE WHEN s.unseen THEN f.fault ELSE o.state_cause END AS state_cause
      FROM etl.portal o LEFT JOIN etl.watch_fault f ON f.kind = 'price log' AND f.name = o.portal
      CROSS JOIN LATERAL (SELECT o.state = 'current' AND f.fault IS NOT NULL AS unseen) s) p
WHERE pg_has_role(p.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE')
UNION ALL
SELECT 'price log', w.portal, c.relation::text, CASE WHEN c.fault IS NULL THEN 'covered' ELSE 'gap' END, w.since, NULL,
       c.fault, CASE WHEN c.fault IS NOT NULL
                     THEN format('SELECT etl_watch_prices(%L), then etl_fold_prices(%L)', w.portal, w.portal) END
FROM etl.coverage c JOIN etl.watch w ON c.kind = 'price log' AND w.portal = c.name JOIN etl.portal p ON p.portal = w.portal
WHERE pg_has_role(p.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE')
UNION ALL
SELECT 'capture', c.make, c.relation, CASE WHEN c.fault IS NOT NULL THEN 'gap' WHEN c.pending IS NOT NULL THEN 'compared'
       ELSE 'covered' END, w.since, NULL, COALESCE(c.fault, c.pending),
       CASE WHEN c.fault IS NOT NULL THEN format('SELECT etl_watch_sources(%L)', c.make)
            WHEN c.pending IS NOT NULL THEN format('the next sync of %I compares all rows', c.make) END
FROM (SELECT f.make, f.owner, f.source::regclass::text AS relation, min(f.fault COLLATE "C") AS fault, min(g.cause COLLATE "C") AS pending
      FROM etl.source_fault f LEFT JOIN etl.consumed k ON k.partition = f.partition
      LEFT JOIN etl.source_gap g ON g.source = f.source AND f.partition IS NOT NULL
                                AND (k.partition IS NULL OR NOT pg_visible_in_snapshot(g.xid, k.snapshot))
      GROUP BY f.make, f.owner, f.source) c JOIN etl.source_watch w ON w.make = c.make
WHERE pg_has_role(c.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE')
UNION ALL
SELECT 'source', s.make, s.source::regclass::text, s.state, NULL, NULL, s.detail, s.hint
FROM etl.source_advice s
WHERE pg_has_role(s.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE')
UNION ALL
SELECT 'transaction', x.gid, NULL, 'prepared', x.prepared, NULL,
       format('nobody knows when it began; syncs look etl.sync_overlap = %s further back than they have to for others',
              current_setting('etl.sync_overlap', true)),
       format('COMMIT PREPARED %L or ROLLBACK PREPARED %L', x.gid, x.gid)
FROM pg_prepared_xacts x
WHERE x.database = current_database() AND EXISTS (SELECT FROM etl.make m
      WHERE pg_has_role(m.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE'))
UNION ALL
SELECT 'setting', 'track_activities', NULL, 'off', NULL, NULL,
       'of sessions without it only their start is known, so syncs look at all that was modified since',
       'ALTER SYSTEM SET track_activities = on'
WHERE (current_setting('track_activities') = 'off'
       OR EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database() AND a.state = 'disabled'))
  AND EXISTS (SELECT FROM etl.make m WHERE pg_has_role(m.owner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE'));
COMMENT ON VIEW @extschema@.etl_health IS
    'What the results depend on and how it is: price states, tables of watched price logs, captured sources, and what makes syncs slow or unsure';

GRANT SELECT ON @extschema@.etl_progress, @extschema@.etl_runs, @extschema@.etl_tasks, @extschema@.etl_events,
    @extschema@.etl_health TO PUBLIC;
