-- What runs: runs, their portals, tasks and every change of state. Not dumped: in a copy nothing starts by itself.
CREATE TABLE etl.run (
    run_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('seed', 'sync', 'fold', 'verify')),
    make         text,
    portal       text,
    state        text NOT NULL DEFAULT 'queued'
                 CHECK (state IN ('queued', 'running', 'paused', 'loaded', 'published', 'done', 'failed', 'cancelled')),
    owner        regrole NOT NULL,
    requested_by regrole NOT NULL,
    workers      integer NOT NULL,
    chunk_rows   bigint,
    chunk_target integer,
    publish      text NOT NULL DEFAULT 'auto' CHECK (publish IN ('auto', 'manual')),
    level        text CHECK (level IN ('count', 'summary', 'digest', 'source')),
    repair       boolean NOT NULL DEFAULT false,
    definition   text NOT NULL,
    settings     jsonb NOT NULL,
    snapshot     pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),
    position     pg_lsn,
    next_xid     xid8,
    system_identifier bigint NOT NULL,
    database     oid NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    ended_at     timestamptz,
    since        timestamptz NOT NULL DEFAULT now(),
    sqlstate     text,
    error        text,
    waiting_for  text,
    why          text
);
CREATE UNIQUE INDEX run_unfinished_make ON etl.run (make, kind, COALESCE(portal, ''))
    WHERE make IS NOT NULL AND state IN ('queued', 'running', 'paused', 'loaded');
CREATE UNIQUE INDEX run_at_work ON etl.run (make) WHERE make IS NOT NULL AND state = 'running';
CREATE UNIQUE INDEX run_unfinished_fold ON etl.run (portal)
    WHERE kind = 'fold' AND state IN ('queued', 'running', 'paused');
COMMENT ON TABLE etl.run IS 'Runs: one seed, sync, fold or verify each, from request to end';
COMMENT ON COLUMN etl.run.run_id IS 'Number of the run';
COMMENT ON COLUMN etl.run.kind IS 'seed, sync, fold or verify';
COMMENT ON COLUMN etl.run.make IS 'Make that the run works on; NULL for folds';
COMMENT ON COLUMN etl.run.portal IS 'Portal that a fold, or a sync asked for by etl_restate, works on';
COMMENT ON COLUMN etl.run.state IS 'queued, running, paused, loaded, published, done, failed or cancelled';
COMMENT ON COLUMN etl.run.owner IS 'Role that the workers log in as';
COMMENT ON COLUMN etl.run.requested_by IS 'Role that asked for the run';
COMMENT ON COLUMN etl.run.workers IS 'Workers at a time, at most';
COMMENT ON COLUMN etl.run.chunk_rows IS 'Rows a chunk that were asked for; NULL for the engine''s own choice';
COMMENT ON COLUMN etl.run.chunk_target IS 'Milliseconds that a chunk should take: etl.chunk_target of whoever asked';
COMMENT ON COLUMN etl.run.publish IS 'auto, or manual: wait for etl_publish after loading';
COMMENT ON COLUMN etl.run.level IS 'Of a verify: count, summary, digest or source';
COMMENT ON COLUMN etl.run.repair IS 'Of a verify: whether what differs is made anew';
COMMENT ON COLUMN etl.run.definition IS 'Fingerprint of what the run was planned from';
COMMENT ON COLUMN etl.run.settings IS 'Settings of the make that every worker sets';
COMMENT ON COLUMN etl.run.snapshot IS 'What had been committed when the run was asked for: each of its tasks sees that at least';
COMMENT ON COLUMN etl.run.position IS 'Where the write-ahead log was when the run was asked for';
COMMENT ON COLUMN etl.run.next_xid IS 'What was written before that position, transactions of lower numbers have written';
COMMENT ON COLUMN etl.run.system_identifier IS 'Cluster that the run belongs to; in any other it is dead';
COMMENT ON COLUMN etl.run.database IS 'Database that the run belongs to; in any other it is dead';
COMMENT ON COLUMN etl.run.requested_at IS 'When the run was asked for';
COMMENT ON COLUMN etl.run.started_at IS 'When the first task began';
COMMENT ON COLUMN etl.run.ended_at IS 'When the run ended';
COMMENT ON COLUMN etl.run.since IS 'When the run came into its state';
COMMENT ON COLUMN etl.run.sqlstate IS 'SQLSTATE of the error that the run failed with';
COMMENT ON COLUMN etl.run.error IS 'Error that the run failed with';
COMMENT ON COLUMN etl.run.waiting_for IS 'What the run itself waits for, where a worker said so';
COMMENT ON COLUMN etl.run.why IS 'Reason of the last change of state';

CREATE TABLE etl.run_portal (
    run_id         bigint NOT NULL REFERENCES etl.run ON DELETE CASCADE,
    portal         text NOT NULL,
    view           oid,
    staging        oid,
    estimated_rows bigint NOT NULL DEFAULT 0,
    mark           timestamptz,
    rates          bigint,
    position       pg_lsn,
    relations      oid[],
    log_relations  oid[],
    PRIMARY KEY (run_id, portal)
);
COMMENT ON TABLE etl.run_portal IS 'The portals of a run, each with the view it reads and the table it writes';
COMMENT ON COLUMN etl.run_portal.run_id IS 'Run';
COMMENT ON COLUMN etl.run_portal.portal IS 'Portal';
COMMENT ON COLUMN etl.run_portal.view IS 'OID of the source view';
COMMENT ON COLUMN etl.run_portal.staging IS
    'OID of the table that the run writes: the staging table of a seed, the mart''s partition once published; that partition for others';
COMMENT ON COLUMN etl.run_portal.estimated_rows IS 'Rows that the plan expects';
COMMENT ON COLUMN etl.run_portal.mark IS 'Of a sync: the high-water mark that the partition has when it is done';
COMMENT ON COLUMN etl.run_portal.rates IS 'Of a sync: the set of rates that it found, etl.used_rate';
COMMENT ON COLUMN etl.run_portal.position IS 'Of a sync: the position of the write-ahead log that the partition has when it is done';
COMMENT ON COLUMN etl.run_portal.relations IS 'OIDs of all relations that the view reads, partitions included, when the run was planned';
COMMENT ON COLUMN etl.run_portal.log_relations IS 'The same of the price log, where the run folds it';

CREATE FUNCTION etl.relations_under(root oid) RETURNS oid[] LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'etl_relations_under';
REVOKE ALL ON FUNCTION etl.relations_under(oid) FROM PUBLIC;
COMMENT ON FUNCTION etl.relations_under(oid) IS
    'The relations that workers read with one: what its view is made of, partitions and children but temporary ones, and so on';

CREATE TABLE etl.task (
    run_id         bigint NOT NULL REFERENCES etl.run ON DELETE CASCADE,
    task_no        integer NOT NULL,
    phase          smallint NOT NULL,
    kind           text NOT NULL
                   CHECK (kind IN ('fold', 'load', 'index', 'check', 'publish', 'analyze', 'sync', 'verify')),
    portal         text,
    lid_from       bigint,
    lid_to         bigint,
    cuts           bigint[],
    lids           bigint[],
    parent_index   oid,
    state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    attempts       integer NOT NULL DEFAULT 0,
    crashes        integer NOT NULL DEFAULT 0,
    retries        integer NOT NULL DEFAULT 0,
    rows           bigint,
    mark           timestamptz,
    rates          bigint,
    compared       bigint,
    digest         bigint,
    costs          jsonb,
    estimated_rows bigint,
    not_before     timestamptz,
    started_at     timestamptz,
    snapshot       pg_snapshot,
    ended_at       timestamptz,
    sqlstate       text,
    error          text,
    pid            integer,
    why            text,
    PRIMARY KEY (run_id, task_no)
) WITH (fillfactor = 70);
CREATE INDEX task_unfinished ON etl.task (run_id, phase, portal) WHERE state <> 'done';
COMMENT ON TABLE etl.task IS 'Tasks: the units of a run, each the work of one worker in one transaction';
COMMENT ON COLUMN etl.task.run_id IS 'Run';
COMMENT ON COLUMN etl.task.task_no IS 'Number of the task in its run';
COMMENT ON COLUMN etl.task.phase IS 'A task is ready when all of lower phases are done: of its portal, or of the run where it has no portal';
COMMENT ON COLUMN etl.task.kind IS 'fold, load, index, check, publish, analyze, sync or verify';
COMMENT ON COLUMN etl.task.portal IS 'Portal; NULL where the task is for the whole run';
COMMENT ON COLUMN etl.task.lid_from IS 'First lid of the chunk; NULL for no lower bound';
COMMENT ON COLUMN etl.task.lid_to IS 'Lid before which the chunk ends; NULL for no upper bound';
COMMENT ON COLUMN etl.task.cuts IS
    'Lids at which a waiting chunk may be cut, into pieces of equal rows; NULL where it is to stay whole';
COMMENT ON COLUMN etl.task.lids IS 'Of a chunk of a sync: the lids of its range that it looks at; NULL: all';
COMMENT ON COLUMN etl.task.parent_index IS 'OID of the mart''s index that an index task builds for the portal';
COMMENT ON COLUMN etl.task.state IS 'waiting, running, done or failed';
COMMENT ON COLUMN etl.task.attempts IS 'Attempts so far, counted before the work begins';
COMMENT ON COLUMN etl.task.crashes IS 'Attempts that ended without an error of the task''s own';
COMMENT ON COLUMN etl.task.retries IS 'Attempts after errors that may pass, since the run was last asked for';
COMMENT ON COLUMN etl.task.rows IS 'Rows that the task wrote';
COMMENT ON COLUMN etl.task.mark IS 'High-water mark of what the task read: what transactions older than that have written, it saw';
COMMENT ON COLUMN etl.task.rates IS 'The set of rates that the task converted with, etl.used_rate; NULL where it converted nothing';
COMMENT ON COLUMN etl.task.compared IS 'Of a chunk of a sync that compares all rows of its range: how many it has then';
COMMENT ON COLUMN etl.task.digest IS 'Of a load, or of a chunk that compares all rows of its range: digest of the rows that are there then, as etl.digest() gives it';
COMMENT ON COLUMN etl.task.costs IS 'What the done attempt cost its worker: cpu_us, wal_bytes and private_kb; of a load also its steps, by processor time: join_us, columns_us, kernels_us, form_us, write_us';
COMMENT ON COLUMN etl.task.estimated_rows IS 'Rows that the plan expected';
COMMENT ON COLUMN etl.task.not_before IS 'A repeated attempt starts no earlier';
COMMENT ON COLUMN etl.task.started_at IS 'When the last attempt began';
COMMENT ON COLUMN etl.task.snapshot IS 'Of a fold: what its last attempt saw of other transactions at least';
COMMENT ON COLUMN etl.task.ended_at IS 'When the task ended';
COMMENT ON COLUMN etl.task.sqlstate IS 'SQLSTATE of the last error';
COMMENT ON COLUMN etl.task.error IS 'Last error, with its detail';
COMMENT ON COLUMN etl.task.pid IS 'Process of the last attempt';
COMMENT ON COLUMN etl.task.why IS 'Reason of the last change of state';

CREATE TABLE etl.event (
    event_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id     bigint NOT NULL REFERENCES etl.run ON DELETE CASCADE,
    task_no    integer,
    from_state text,
    to_state   text NOT NULL,
    why        text
);
CREATE INDEX event_run ON etl.event (run_id);
COMMENT ON TABLE etl.event IS 'Every change of state of a run or task';
COMMENT ON COLUMN etl.event.event_id IS 'Number of the event';
COMMENT ON COLUMN etl.event.at IS 'When';
COMMENT ON COLUMN etl.event.run_id IS 'Run';
COMMENT ON COLUMN etl.event.task_no IS 'Task; NULL for a change of the run itself';
COMMENT ON COLUMN etl.event.from_state IS 'State before; NULL for the first';
COMMENT ON COLUMN etl.event.to_state IS 'State after';
COMMENT ON COLUMN etl.event.why IS 'Reason';

-- One place writes the events, so that none is forgotten.
CREATE FUNCTION etl.record_event() RETURNS trigger LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'etl_record_event';
REVOKE ALL ON FUNCTION etl.record_event() FROM PUBLIC;
COMMENT ON FUNCTION etl.record_event() IS 'Trigger: records changes of state of runs and tasks';
CREATE TRIGGER record_event AFTER INSERT OR UPDATE ON etl.run
    FOR EACH ROW EXECUTE FUNCTION etl.record_event();
CREATE TRIGGER record_event AFTER UPDATE OF state ON etl.task
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION etl.record_event();
