-- Watching the sources of makes: which they are, what is queued of them, and what has been consumed.
CREATE VIEW etl.source_need WITH (security_barrier = true) AS
SELECT w.make, m.owner, p.portal, r.source, r.by_account, i.inhrelid AS partition
FROM etl.source_watch w JOIN etl.make m ON m.make = w.make
JOIN etl.portal p ON m.portals IS NULL OR p.portal = ANY (m.portals)
CROSS JOIN LATERAL (VALUES (p.listing::oid, false), (p.customer::oid, true), (p.stat::oid, false), (m.mapping::oid, false))
    r (source, by_account)
LEFT JOIN (etl.partition t JOIN pg_inherits i ON i.inhrelid = t.relation::oid)
    ON t.make = w.make AND t.portal = p.portal AND i.inhparent = m.mart::oid;
COMMENT ON VIEW etl.source_need IS
    'The sources that watched makes read for each portal, by lid or by acc_id, and the partition that their rows go to, once it was seeded';

CREATE VIEW etl.source_fault WITH (security_barrier = true) AS
SELECT n.make, n.owner, n.portal, n.source, n.partition, CASE
    WHEN s.source IS NULL OR NOT CASE WHEN n.by_account THEN s.by_account ELSE s.by_lid END
        THEN format('%s came to the make after its sources were watched', n.source::regclass)
    ELSE f.fault END AS fault
FROM etl.source_need n
LEFT JOIN etl.captured_source s ON s.source::oid = n.source
LEFT JOIN etl.watch_fault f ON f.kind = 'source' AND f.name = n.source::text;
COMMENT ON VIEW etl.source_fault IS 'The same, with what keeps changes of the source from being queued now';

-- The keys that a partition has not had yet. Whoever has the rights of the make's owner may read what is queued for it.
CREATE VIEW etl.captured_key WITH (security_barrier = true) AS
SELECT n.partition, n.source, n.by_account, d.key
FROM etl.source_need n
JOIN etl.consumed c ON c.partition = n.partition
JOIN etl.dirty d ON d.source = n.source AND d.by_account = n.by_account AND NOT pg_visible_in_snapshot(d.xid, c.snapshot)
WHERE pg_has_role(n.owner, 'USAGE');
COMMENT ON VIEW etl.captured_key IS 'Keys of changed rows that partitions of watched makes have not had yet';
GRANT SELECT ON etl.captured_key TO PUBLIC;

-- As of a portal's price log: whoever repairs a fault ends a gap.
CREATE FUNCTION etl.note_source_fault(source oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text := (SELECT s.fault FROM etl.captured_source s WHERE s.source = $1);
    now_is text := (SELECT f.fault FROM etl.watch_fault f WHERE f.kind = 'source' AND f.name = $1::text);
BEGIN
    IF now_is IS DISTINCT FROM known THEN
        UPDATE etl.captured_source s SET fault = now_is WHERE s.source = $1;
        PERFORM etl.record_source_gap($1, COALESCE(known, now_is));
    END IF;
END $$;
REVOKE ALL ON FUNCTION etl.note_source_fault(oid) FROM PUBLIC;
COMMENT ON FUNCTION etl.note_source_fault(oid) IS
    'Looks whether anything keeps changes of a captured source from being seen, and records where that begins and ends';

CREATE FUNCTION etl.begin_capture(source oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM etl.source_gap g WHERE g.source = $1 AND g.is_start;
    INSERT INTO etl.source_gap (source, is_start, cause)
    VALUES ($1, true, format('changes of %s were not captured yet', $1::regclass));
    UPDATE etl.captured_source s SET fault = NULL, trimmed = NULL WHERE s.source = $1;
END $$;
REVOKE ALL ON FUNCTION etl.begin_capture(oid) FROM PUBLIC;
COMMENT ON FUNCTION etl.begin_capture(oid) IS 'Says that from this transaction on the changes of a source are queued';

-- Why all rows of a partition have to be compared; NULL if the queue tells what has changed.
CREATE FUNCTION etl.capture_gap(partition oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT why FROM (
        SELECT 1 AS rank, f.fault AS why FROM etl.source_fault f
        WHERE f.partition = capture_gap.partition AND f.fault IS NOT NULL
        UNION ALL
        SELECT 2, 'nothing that the triggers captured has come to the mart yet'
        WHERE NOT EXISTS (SELECT FROM etl.consumed c WHERE c.partition = capture_gap.partition)
        UNION ALL
        SELECT 3, g.cause
        FROM etl.source_need n JOIN etl.consumed c ON c.partition = n.partition JOIN etl.source_gap g ON g.source = n.source
        WHERE n.partition = capture_gap.partition AND NOT pg_visible_in_snapshot(g.xid, c.snapshot)
    ) w ORDER BY rank, why COLLATE "C" LIMIT 1;
END;
REVOKE ALL ON FUNCTION etl.capture_gap(oid) FROM PUBLIC;
COMMENT ON FUNCTION etl.capture_gap(oid) IS
    'Why a sync compares all rows of a partition of a watched make; NULL where the queue tells what has changed';

-- The partitions of a run have had what was committed when it was asked for. What all partitions have had is deleted; while
-- one of them has had nothing, all is kept that comes to its sources. A partition that is no longer the mart's does not
-- hold the queue up, so that if it comes back all of it has to be compared. Nor does one that is not the mart's yet: where
-- a seed was loaded, or broken off, while syncs went on, what it has not seen may have been deleted since.
CREATE FUNCTION etl.consume_captured(run_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Of two runs that end at once neither would see that the other has had the same, and both would leave it.
    PERFORM FROM etl.captured_source s WHERE s.source::oid IN (
        SELECT n.source FROM etl.source_need n JOIN etl.run r ON r.make = n.make WHERE r.run_id = $1)
    ORDER BY s.source::oid FOR NO KEY UPDATE;
    INSERT INTO etl.consumed (partition, snapshot)
    SELECT p.staging, r.snapshot
    FROM etl.run r JOIN etl.source_watch w ON w.make = r.make JOIN etl.run_portal p ON p.run_id = r.run_id
    WHERE r.run_id = $1 AND r.portal IS NULL AND r.kind IN ('seed', 'sync') AND p.staging IS NOT NULL
      AND pg_visible_in_snapshot(w.xid, r.snapshot)
      AND NOT (r.kind = 'seed' AND EXISTS (
          SELECT FROM etl.source_need n JOIN etl.captured_source s ON s.source::oid = n.source
          WHERE n.make = r.make AND n.portal = p.portal AND s.trimmed >= pg_snapshot_xmin(r.snapshot)))
    ON CONFLICT (partition) DO UPDATE SET snapshot = excluded.snapshot;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM etl.consumed c WHERE NOT EXISTS (SELECT FROM etl.source_need n WHERE n.partition = c.partition);
    WITH had AS MATERIALIZED (
        SELECT n.source, array_agg(DISTINCT c.snapshot::text)::pg_snapshot[] AS snapshots
        FROM etl.source_need n LEFT JOIN etl.consumed c ON c.partition = n.partition
        GROUP BY n.source HAVING bool_and(c.partition IS NOT NULL)
    ), gaps AS (
        DELETE FROM etl.source_gap g USING had h WHERE g.source = h.source AND NOT g.is_start
        AND NOT EXISTS (SELECT FROM unnest(h.snapshots) s WHERE NOT pg_visible_in_snapshot(g.xid, s))
        RETURNING g.source, g.xid
    ), keys AS (
        DELETE FROM etl.dirty d USING had h WHERE d.source = h.source
        AND NOT EXISTS (SELECT FROM unnest(h.snapshots) s WHERE NOT pg_visible_in_snapshot(d.xid, s))
        RETURNING d.source, d.xid
    )
    UPDATE etl.captured_source s SET trimmed = GREATEST(s.trimmed, t.xid)
    FROM (SELECT d.source, max(d.xid) AS xid FROM (TABLE gaps UNION ALL TABLE keys) d GROUP BY d.source) t
    WHERE s.source::oid = t.source AND (s.trimmed IS NULL OR s.trimmed < t.xid);
END $$;
REVOKE ALL ON FUNCTION etl.consume_captured(bigint) FROM PUBLIC;
COMMENT ON FUNCTION etl.consume_captured(bigint) IS
    'Says that a run has taken what was queued before it was asked for, and deletes what all have taken';

CREATE FUNCTION @extschema@.etl_watch_sources(make text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_watch_sources';
REVOKE ALL ON FUNCTION @extschema@.etl_watch_sources(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_watch_sources(text) IS
    'Puts triggers on the listings, sellers, counters and the mapping of a make, so that syncs are told of every change, deletes included';

CREATE FUNCTION @extschema@.etl_unwatch_sources(make text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_unwatch_sources';
REVOKE ALL ON FUNCTION @extschema@.etl_unwatch_sources(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_unwatch_sources(text) IS
    'Removes the triggers from the sources of a make that no other make watches';
