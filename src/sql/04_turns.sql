-- Several runs of one make take turns: one of each kind may be unfinished, and one of them is at work.

-- The run that is running or paused is at work. One that was stopped, or paused and resumed, is so until its last task has
-- ended. Else the one goes first that has waited longest. A seed that is loaded is in nobody's way.
CREATE VIEW etl.turn WITH (security_barrier = true) AS
SELECT r.run_id, b.run_id AS behind, b.state AS behind_state
FROM etl.run r CROSS JOIN LATERAL (
    SELECT o.run_id, o.state FROM etl.run o
    WHERE o.make = r.make AND o.run_id <> r.run_id
      AND o.system_identifier = r.system_identifier AND o.database = r.database
      AND (o.state IN ('running', 'paused')
           OR o.state = 'queued' AND (o.since, o.run_id) < (r.since, r.run_id)
           OR o.state IN ('queued', 'cancelled', 'failed') AND EXISTS (
               SELECT FROM etl.task t JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 25974
                AND l.database = o.database AND l.classid::bigint = (t.run_id & 4294967295)
                AND l.objid::bigint = t.task_no
               WHERE t.run_id = o.run_id AND t.state = 'running'))
    ORDER BY o.state = 'running' DESC, o.state = 'paused' DESC, o.state <> 'queued' DESC, o.since, o.run_id
    LIMIT 1
) b
WHERE r.make IS NOT NULL AND r.state = 'queued';
COMMENT ON VIEW etl.turn IS 'Queued runs whose turn it is not, each with the run of the same make that goes before';
COMMENT ON COLUMN etl.turn.run_id IS 'Run that waits';
COMMENT ON COLUMN etl.turn.behind IS 'Run that it waits for';
COMMENT ON COLUMN etl.turn.behind_state IS 'State of that run';
