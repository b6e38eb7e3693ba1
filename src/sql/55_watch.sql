-- Watching price logs: triggers that keep the price state in step, and what is known of their coverage.
CREATE TABLE etl.watch (
    portal    text PRIMARY KEY,
    since     timestamptz NOT NULL,
    channel   text,
    fault     text
);
COMMENT ON TABLE etl.watch IS 'Portals whose price log is watched by triggers';
COMMENT ON COLUMN etl.watch.portal IS 'Portal';
COMMENT ON COLUMN etl.watch.since IS 'Every price event that was committed later went through the triggers';
COMMENT ON COLUMN etl.watch.channel IS 'Channel that is notified of changed last prices; NULL for none';
COMMENT ON COLUMN etl.watch.fault IS 'What kept events from being seen when that was last looked at; NULL for nothing';

-- Not dumped, unlike etl.watch: in a copy nobody knows what was written before the triggers were back.
CREATE TABLE etl.price_gap (
    portal   text NOT NULL REFERENCES etl.watch ON DELETE CASCADE,
    xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    is_start boolean NOT NULL DEFAULT false,
    cause    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (portal, xid, is_start)
);
COMMENT ON TABLE etl.price_gap IS 'Transactions with events that went around the triggers, or may have: a fold cures what its snapshots see';
COMMENT ON COLUMN etl.price_gap.portal IS 'Portal';
COMMENT ON COLUMN etl.price_gap.xid IS 'The transaction; what was missed came with it, or before it';
COMMENT ON COLUMN etl.price_gap.is_start IS 'From this transaction on the log has been watched';
COMMENT ON COLUMN etl.price_gap.cause IS 'How they went around the triggers';
COMMENT ON COLUMN etl.price_gap.at IS 'When';

CREATE TABLE etl.watched_relation (
    portal   text NOT NULL,
    relation regclass NOT NULL,
    PRIMARY KEY (portal, relation)
);
COMMENT ON TABLE etl.watched_relation IS 'The price log of a watched portal, its partitions and children, as they were when last looked at';
COMMENT ON COLUMN etl.watched_relation.portal IS 'Portal';
COMMENT ON COLUMN etl.watched_relation.relation IS 'The log, or a partition or child of it';

CREATE TABLE etl.price_removal (
    price_state oid NOT NULL,
    lid         bigint NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX price_removal_state ON etl.price_removal (price_state, lid);
COMMENT ON TABLE etl.price_removal IS 'Listings that lost their last price event while a fold was at work; its chunks fold them anew';
COMMENT ON COLUMN etl.price_removal.price_state IS 'OID of the price state';
COMMENT ON COLUMN etl.price_removal.lid IS 'Listing';
COMMENT ON COLUMN etl.price_removal.at IS 'When';

SELECT pg_extension_config_dump('etl.watch', '');
SELECT pg_extension_config_dump('etl.watched_relation', '');

-- SECURITY: works as the owner of the price state, and only for tables that etl_watch_prices registered.
CREATE FUNCTION etl.fold_price_events() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'etl_fold_price_events';
REVOKE ALL ON FUNCTION etl.fold_price_events() FROM PUBLIC;
COMMENT ON FUNCTION etl.fold_price_events() IS
    'Trigger: takes the events of a statement into the price states of the portals that watch the table';

-- What has triggers of ours, and which tables had them when that was last looked at.
CREATE VIEW etl.watch_root WITH (security_barrier = true) AS
SELECT 'price log'::text AS kind, w.portal AS name, p.prices::oid AS root,
       'etl.fold_price_events()'::regprocedure::oid AS function
FROM etl.watch w JOIN etl.portal p ON p.portal = w.portal
UNION ALL
SELECT 'source', s.source::oid::text, s.source::oid, 'etl.capture_changes()'::regprocedure::oid FROM etl.captured_source s;
COMMENT ON VIEW etl.watch_root IS 'Watched price logs, by portal, and captured sources, by OID';

CREATE VIEW etl.watch_member WITH (security_barrier = true) AS
SELECT 'price log'::text AS kind, r.portal AS name, r.relation::oid AS relation FROM etl.watched_relation r
UNION ALL
SELECT 'source', r.source::oid::text, r.relation::oid FROM etl.captured_relation r;
COMMENT ON VIEW etl.watch_member IS 'The tables that watched price logs and captured sources consisted of when last looked at';

-- What each of these tables lacks. Rows that logical replication applies fire no statement trigger, so where a
-- subscription writes to one there has to be a row trigger as well.
CREATE VIEW etl.coverage WITH (security_barrier = true) AS
WITH RECURSIVE part AS (
    SELECT w.kind, w.name, w.function, w.root, w.root AS relation FROM etl.watch_root w
    UNION
    SELECT part.kind, part.name, part.function, part.root, i.inhrelid
    FROM part JOIN pg_inherits i ON i.inhparent = part.relation AND NOT i.inhdetachpending
), subscribed AS (
    SELECT DISTINCT part.kind, part.name FROM part JOIN pg_subscription_rel s ON s.srrelid = part.relation
), outside AS (
    SELECT DISTINCT part.kind, part.name, part.relation
    FROM part JOIN pg_inherits i ON i.inhrelid = part.relation AND NOT i.inhdetachpending
    LEFT JOIN part up ON up.kind = part.kind AND up.name = part.name AND up.relation = i.inhparent
    WHERE up.relation IS NULL
), present AS (
    SELECT t.tgfoid AS function, t.tgrelid AS relation,
           count(DISTINCT t.tgtype) FILTER (WHERE t.tgtype IN (4, 8, 16) AND t.tgenabled = 'A'
               AND ((t.tgtype & 20) = 0 OR t.tgnewtable IS NOT NULL) AND ((t.tgtype & 24) = 0 OR t.tgoldtable IS NOT NULL))
           + count(DISTINCT t.tgtype) FILTER (WHERE t.tgtype = 32 AND t.tgenabled = 'A') AS statements,
           count(*) FILTER (WHERE t.tgtype = 29 AND t.tgenabled IN ('A', 'R')) AS rows
    FROM pg_trigger t
    WHERE t.tgrelid IN (SELECT part.relation FROM part) AND t.tgfoid IN (SELECT part.function FROM part)
      AND t.tgqual IS NULL AND t.tgattr::text = '' AND t.tgnargs = 0
    GROUP BY t.tgfoid, t.tgrelid
)
SELECT DISTINCT part.kind, part.name, part.relation::regclass AS relation, part.relation = part.root AS is_root,
       CASE
           WHEN c.oid IS NULL THEN 'it is gone'
           WHEN c.relkind NOT IN ('r', 'p') THEN 'it is no table'
           WHEN c.relpersistence = 't' THEN 'it is temporary, so that one session alone sees its rows'
           WHEN c.relpersistence = 'u' AND c.relkind = 'r' THEN 'it is unlogged, so that a crash empties it unseen'
           WHEN o.name IS NOT NULL THEN 'it is part of another table, through which rows come that no trigger sees'
           WHEN COALESCE(p.statements, 0) < 4 THEN 'triggers are missing, disabled, or not ENABLE ALWAYS'
           WHEN s.name IS NOT NULL AND COALESCE(p.rows, 0) = 0
               THEN format('a subscription writes to the %s, which only the row trigger sees',
                           CASE part.kind WHEN 'price log' THEN 'log' ELSE part.kind END)
           WHEN NOT EXISTS (SELECT FROM etl.watch_member w
                            WHERE w.kind = part.kind AND w.name = part.name AND w.relation = part.relation)
               THEN 'it is new'
       END AS fault
FROM part
LEFT JOIN pg_class c ON c.oid = part.relation
LEFT JOIN outside o ON o.kind = part.kind AND o.name = part.name AND o.relation = part.relation
LEFT JOIN present p ON p.function = part.function AND p.relation = part.relation
LEFT JOIN subscribed s ON s.kind = part.kind AND s.name = part.name;
COMMENT ON VIEW etl.coverage IS
    'The tables of watched price logs and captured sources, and what keeps triggers from seeing all that is written to them';

-- Cheap enough, also by estimate, for etl_health not to be compiled.
CREATE VIEW etl.watch_fault WITH (security_barrier = true) AS
SELECT DISTINCT ON (kind, name) kind, name, fault FROM (
    SELECT w.kind, w.name, 0 AS rank, 'this is a copy; what was written while it was made went unseen' AS fault
    FROM etl.watch_root w
    WHERE NOT EXISTS (SELECT FROM etl.price_gap g WHERE w.kind = 'price log' AND g.portal = w.name AND g.is_start)
      AND NOT EXISTS (SELECT FROM etl.source_gap g WHERE w.kind = 'source' AND g.source = w.root AND g.is_start)
    UNION ALL
    SELECT c.kind, c.name, 1, format('%s of the %s: %s', c.relation, c.kind, c.fault)
    FROM etl.coverage c WHERE c.fault IS NOT NULL
    UNION ALL
    SELECT r.kind, r.name, 1, format('a partition of the %s was detached or dropped', r.kind)
    FROM etl.watch_member r
    WHERE NOT EXISTS (SELECT FROM etl.coverage c WHERE c.kind = r.kind AND c.name = r.name AND c.relation = r.relation)
) f ORDER BY kind, name, rank, fault COLLATE "C";
COMMENT ON VIEW etl.watch_fault IS
    'What keeps changes of a watched price log or captured source from being seen now; no row if nothing does';

-- Looked at in each DDL on a watched log, at the end of a fold and when a run is asked for.
CREATE VIEW etl.price_fault WITH (security_barrier = true) AS
SELECT DISTINCT ON (portal) portal, fault FROM (
    SELECT l.name AS portal, 1 AS rank, l.fault FROM etl.watch_fault l WHERE l.kind = 'price log'
    UNION ALL
    SELECT w.portal, 2, CASE
        WHEN s.oid IS NULL THEN 'the price state is gone'
        WHEN s.relkind <> 'r' OR s.relhasrules OR s.relhassubclass OR s.relispartition
             OR s.relam <> (SELECT a.oid FROM pg_am a WHERE a.amname = 'heap')
            THEN 'the price state is no plain table'
        WHEN s.relpersistence <> 'p' THEN 'the price state is unlogged, so that a crash empties it'
        WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = s.oid) THEN 'the price state has triggers'
        WHEN s.relrowsecurity THEN 'the price state has row security'
        WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = s.oid AND k.contype = 'c')
            THEN 'the price state has check constraints'
        WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = s.oid
                     AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR i.indisexclusion))
            THEN 'the price state has an index over an expression, a condition or an exclusion'
        WHEN NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                         WHERE i.indrelid = s.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                           AND i.indnkeyatts = 1 AND a.attname = 'lid')
            THEN 'the price state has no primary key (lid)'
        WHEN (SELECT count(*) <> 8 OR bool_or(a.attgenerated <> '')
                     OR NOT bool_or(a.attname = 'modified' AND a.atttypid = 'timestamptz'::regtype)
              FROM pg_attribute a WHERE a.attrelid = s.oid AND a.attnum > 0 AND NOT a.attisdropped)
            THEN 'the price state has other columns than it was made with'
        WHEN (SELECT count(*) FROM (VALUES ('lid', 'lid'), ('first_price', 'price'), ('last_price', 'price'),
                  ('price_min', 'price'), ('price_max', 'price'), ('first_dt', 'dt'), ('last_dt', 'dt')) AS v (state, log)
              JOIN pg_attribute a ON a.attrelid = s.oid AND a.attname = v.state AND NOT a.attisdropped
              JOIN pg_attribute b ON b.attrelid = p.prices AND b.attname = v.log AND NOT b.attisdropped
              WHERE a.atttypid = b.atttypid AND a.atttypmod = b.atttypmod) < 7
            THEN 'the price state and the log differ in their types'
        END
    FROM etl.watch w JOIN etl.portal p ON p.portal = w.portal LEFT JOIN pg_class s ON s.oid = p.price_state
) f WHERE fault IS NOT NULL ORDER BY portal, rank, fault COLLATE "C";
COMMENT ON VIEW etl.price_fault IS 'Why the price state of a watched portal can''t be in step with its log now; no row if it can';

-- The row lock makes a fold that is being settled wait for this transaction, or this one for the fold. It is shared, so
-- that writers don't queue for it. A transaction that sees an older state of the portal than there is can't tell: 40001.
CREATE FUNCTION etl.record_price_gap(portal text, cause text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM etl.watch w WHERE w.portal = $1 FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'could not serialize access due to a price log that came to be watched'
            USING ERRCODE = '40001', DETAIL = format('Portal "%s".', $1),
                  HINT = 'The transaction might succeed if retried.';
    END IF;
    INSERT INTO etl.price_gap (portal, cause) SELECT w.portal, $2 FROM etl.watch w WHERE w.portal = $1
    ON CONFLICT DO NOTHING;
    UPDATE etl.portal p SET state = 'stale', state_since = clock_timestamp(), state_cause = $2
    WHERE p.portal = $1 AND p.state = 'current';
    IF NOT FOUND AND current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM FROM etl.portal p WHERE p.portal = $1 FOR SHARE;
    END IF;
END $$;
REVOKE ALL ON FUNCTION etl.record_price_gap(text, text) FROM PUBLIC;
COMMENT ON FUNCTION etl.record_price_gap(text, text) IS 'Marks the price state of a watched portal stale, with the time and the cause';

-- Whoever repairs a fault ends a gap: what was written until then went unseen, so a fold has to see the repair.
CREATE FUNCTION etl.note_price_fault(portal text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text := (SELECT w.fault FROM etl.watch w WHERE w.portal = $1);
    now_is text := (SELECT f.fault FROM etl.price_fault f WHERE f.portal = $1);
BEGIN
    IF now_is IS DISTINCT FROM known THEN
        UPDATE etl.watch w SET fault = now_is WHERE w.portal = $1;
        PERFORM etl.record_price_gap($1, COALESCE(known, now_is));
    END IF;
END $$;
REVOKE ALL ON FUNCTION etl.note_price_fault(text) FROM PUBLIC;
COMMENT ON FUNCTION etl.note_price_fault(text) IS 'Looks whether anything keeps events of a watched portal from being seen, and records where that begins and ends';

-- Watching begins: all who wrote before are seen by folds that see this transaction.
CREATE FUNCTION etl.begin_price_watch(portal text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM etl.price_gap g WHERE g.portal = $1 AND g.is_start;
    INSERT INTO etl.price_gap (portal, is_start, cause) VALUES ($1, true, 'the log was not watched');
    UPDATE etl.watch w SET since = clock_timestamp(), fault = NULL WHERE w.portal = $1;
END $$;
REVOKE ALL ON FUNCTION etl.begin_price_watch(text) FROM PUBLIC;
COMMENT ON FUNCTION etl.begin_price_watch(text) IS 'Says that from this transaction on the price log of a portal is watched';

-- The price state after the last fold chunk of a portal: current where the snapshots of all chunks saw every gap end, and
-- none has come since. The caller holds the rows of watch and portal. A temporary child goes with its session, which no
-- event trigger is told of, so faults are looked at here.
CREATE FUNCTION etl.settle_price_state(run_id bigint, portal text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    began timestamptz := (SELECT min(t.started_at) FROM etl.task t
                          WHERE t.run_id = $1 AND t.portal = $2 AND t.kind = 'fold');
    is_watched boolean := EXISTS (SELECT FROM etl.watch w WHERE w.portal = $2);
    gap text;
BEGIN
    IF is_watched THEN
        PERFORM etl.note_price_fault($2);
        gap := COALESCE((SELECT w.fault FROM etl.watch w WHERE w.portal = $2), (
            SELECT g.cause FROM etl.price_gap g JOIN etl.task t ON t.portal = g.portal
            WHERE t.run_id = $1 AND t.portal = $2 AND t.kind = 'fold' AND NOT pg_visible_in_snapshot(g.xid, t.snapshot)
            ORDER BY g.xid DESC LIMIT 1));
    END IF;
    UPDATE etl.portal p
    SET state = CASE WHEN NOT is_watched THEN 'as_of' WHEN gap IS NOT NULL THEN 'stale' ELSE 'current' END,
        state_cause = gap, state_since = clock_timestamp(), folded_at = began
    WHERE p.portal = $2;
    DELETE FROM etl.price_gap g WHERE g.portal = $2 AND NOT g.is_start AND gap IS NULL;
END $$;
REVOKE ALL ON FUNCTION etl.settle_price_state(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION etl.settle_price_state(bigint, text) IS 'Sets the state that a price state has after the last chunk of a fold';

-- DDL that touches what is watched: new partitions get triggers, what went around the triggers is recorded.
CREATE FUNCTION etl.follow_watched() RETURNS event_trigger LANGUAGE c AS 'MODULE_PATHNAME', 'etl_follow_watched';
REVOKE ALL ON FUNCTION etl.follow_watched() FROM PUBLIC;
COMMENT ON FUNCTION etl.follow_watched() IS 'Event trigger: keeps the triggers on watched price logs and captured sources complete, and records gaps';
CREATE EVENT TRIGGER pg_etl_follow_watched ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'DROP TABLE', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE TRIGGER',
                 'DROP TRIGGER', 'CREATE RULE', 'CREATE INDEX', 'DROP INDEX', 'CREATE SUBSCRIPTION', 'ALTER SUBSCRIPTION',
                 'CREATE SCHEMA', 'DROP SCHEMA', 'DROP OWNED', 'IMPORT FOREIGN SCHEMA')
    EXECUTE FUNCTION etl.follow_watched();
ALTER EVENT TRIGGER pg_etl_follow_watched ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER pg_etl_follow_watched IS 'Keeps the triggers on watched price logs and captured sources complete, and records gaps';

CREATE FUNCTION etl.note_rewrite() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rewritten oid := pg_event_trigger_table_rewrite_oid();
    found record;
BEGIN
    FOR found IN SELECT m.kind, m.name FROM etl.watch_member m WHERE m.relation = rewritten ORDER BY 1, 2 LOOP
        IF found.kind = 'price log' THEN
            PERFORM etl.record_price_gap(found.name, format('ALTER TABLE rewrote %s of the price log', rewritten::regclass));
        ELSE
            PERFORM etl.record_source_gap(found.name::oid, format('ALTER TABLE rewrote %s', rewritten::regclass));
        END IF;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION etl.note_rewrite() FROM PUBLIC;
COMMENT ON FUNCTION etl.note_rewrite() IS 'Event trigger: a rewrite may have changed what no trigger saw';
CREATE EVENT TRIGGER pg_etl_note_rewrite ON table_rewrite EXECUTE FUNCTION etl.note_rewrite();
ALTER EVENT TRIGGER pg_etl_note_rewrite ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER pg_etl_note_rewrite IS
    'A rewrite of a watched price log makes its price state stale; one of a captured source has all of it compared';

CREATE FUNCTION @extschema@.etl_watch_prices(portal text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_watch_prices';
REVOKE ALL ON FUNCTION @extschema@.etl_watch_prices(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_watch_prices(text) IS
    'Puts triggers on the price log of a portal that keep its price state in step, from the next fold on';

CREATE FUNCTION @extschema@.etl_unwatch_prices(portal text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_unwatch_prices';
REVOKE ALL ON FUNCTION @extschema@.etl_unwatch_prices(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_unwatch_prices(text) IS 'Removes the triggers from the price log of a portal';

CREATE FUNCTION @extschema@.etl_check_prices(portal text, sample_rows bigint DEFAULT 10000,
                                             OUT lid bigint, OUT column_name text, OUT expected text, OUT found text)
RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_check_prices';
REVOKE ALL ON FUNCTION @extschema@.etl_check_prices(text, bigint) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_check_prices(text, bigint) IS
    'Compares a random sample of the price state with the price log; a row for each value that differs';

CREATE FUNCTION @extschema@.etl_on_price_change(portal text, channel text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_on_price_change';
REVOKE ALL ON FUNCTION @extschema@.etl_on_price_change(text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_on_price_change(text, text) IS
    'Has a channel notified of changed last prices, as JSON; NULL ends it. Writers of the log can''t PREPARE TRANSACTION then';
