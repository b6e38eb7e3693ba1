-- Capturing changes of sources: what triggers queue, and how much of that each partition of a mart has had.
CREATE TABLE etl.source_watch (
    make  text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid   xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE etl.source_watch IS 'Makes whose sources are watched by triggers';
COMMENT ON COLUMN etl.source_watch.make IS 'Make';
COMMENT ON COLUMN etl.source_watch.since IS 'Since when';
COMMENT ON COLUMN etl.source_watch.xid IS 'The transaction since which: runs that don''t see it have not had what came before';

CREATE TABLE etl.captured_source (
    source     regclass PRIMARY KEY,
    by_lid     boolean NOT NULL,
    by_account boolean NOT NULL,
    fault      text,
    trimmed    xid8
);
COMMENT ON TABLE etl.captured_source IS 'Relations that watched makes read and whose changes are queued';
COMMENT ON COLUMN etl.captured_source.source IS 'Relation';
COMMENT ON COLUMN etl.captured_source.by_lid IS 'Whether the column lid of what changes is queued';
COMMENT ON COLUMN etl.captured_source.by_account IS 'Whether the column acc_id is';
COMMENT ON COLUMN etl.captured_source.fault IS 'What kept changes from being seen when that was last looked at; NULL for nothing';
COMMENT ON COLUMN etl.captured_source.trimmed IS 'The newest transaction of which anything was deleted from the queue, since all partitions have had it; NULL for none';

CREATE TABLE etl.captured_relation (
    source   regclass NOT NULL,
    relation regclass NOT NULL,
    PRIMARY KEY (source, relation)
);
CREATE INDEX captured_relation_relation ON etl.captured_relation (relation);
COMMENT ON TABLE etl.captured_relation IS 'Captured sources, their partitions and children, as they were when last looked at';
COMMENT ON COLUMN etl.captured_relation.source IS 'Captured source';
COMMENT ON COLUMN etl.captured_relation.relation IS 'It, or a partition or child of it';

-- Written past the executor, by the page; so it has no index, default, check or trigger (src/capture/queue.cpp).
CREATE TABLE etl.dirty (
    key        bigint NOT NULL,
    xid        xid8 NOT NULL,
    source     oid NOT NULL,
    by_account boolean NOT NULL
);
COMMENT ON TABLE etl.dirty IS 'Queue of what has changed in captured sources: keys of rows that were inserted, updated or deleted';
COMMENT ON COLUMN etl.dirty.key IS 'Value of lid or acc_id, before or after the change';
COMMENT ON COLUMN etl.dirty.xid IS 'The transaction';
COMMENT ON COLUMN etl.dirty.source IS 'OID of the captured source';
COMMENT ON COLUMN etl.dirty.by_account IS 'Whether the key is an acc_id';

-- Not dumped, unlike what is captured: in a copy nobody knows what was written before the triggers were back.
CREATE TABLE etl.source_gap (
    source   oid NOT NULL,
    xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    is_start boolean NOT NULL DEFAULT false,
    cause    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, xid, is_start)
);
COMMENT ON TABLE etl.source_gap IS 'Transactions with changes of captured sources that were not queued, or may not: who has not had them compares all rows';
COMMENT ON COLUMN etl.source_gap.source IS 'OID of the captured source';
COMMENT ON COLUMN etl.source_gap.xid IS 'The transaction; what was missed came with it, or before it';
COMMENT ON COLUMN etl.source_gap.is_start IS 'From this transaction on the source has been captured';
COMMENT ON COLUMN etl.source_gap.cause IS 'How they went around the queue';
COMMENT ON COLUMN etl.source_gap.at IS 'When';

-- Not dumped: the numbers of transactions mean nothing in another cluster.
CREATE TABLE etl.consumed (
    partition oid PRIMARY KEY,
    snapshot  pg_snapshot NOT NULL
);
COMMENT ON TABLE etl.consumed IS 'What of the queue the partitions of watched makes have had; without a row all of a partition has to be compared';
COMMENT ON COLUMN etl.consumed.partition IS 'OID of the partition';
COMMENT ON COLUMN etl.consumed.snapshot IS 'It has had what transactions that this snapshot sees have queued';

SELECT pg_extension_config_dump('etl.source_watch', '');
SELECT pg_extension_config_dump('etl.captured_source', '');
SELECT pg_extension_config_dump('etl.captured_relation', '');

-- SECURITY: writes to etl.dirty and etl.source_gap, and only for tables that etl_watch_sources registered.
CREATE FUNCTION etl.capture_changes() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'etl_capture_changes';
REVOKE ALL ON FUNCTION etl.capture_changes() FROM PUBLIC;
COMMENT ON FUNCTION etl.capture_changes() IS 'Trigger: queues the keys of the rows that a statement has changed in a source';

CREATE FUNCTION etl.record_source_gap(source oid, cause text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO etl.source_gap (source, cause) VALUES (source, cause) ON CONFLICT DO NOTHING;
END;
REVOKE ALL ON FUNCTION etl.record_source_gap(oid, text) FROM PUBLIC;
COMMENT ON FUNCTION etl.record_source_gap(oid, text) IS 'Has all rows compared that come of a captured source, by the next sync of each watching make';
