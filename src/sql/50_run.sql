-- Asking for runs and steering them.
CREATE FUNCTION @extschema@.etl_seed(make text, workers integer DEFAULT NULL, chunk_rows bigint DEFAULT NULL,
                         publish text DEFAULT 'auto')
    RETURNS TABLE (run_id bigint, portal text, chunks integer, estimated_rows bigint, state text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_seed';
COMMENT ON FUNCTION @extschema@.etl_seed(text, integer, bigint, text) IS
    'Asks for the mart of a make to be built beside the present one and published; resumes what was interrupted';

CREATE FUNCTION @extschema@.etl_sync(make text, workers integer DEFAULT NULL)
    RETURNS TABLE (run_id bigint, portal text, chunks integer, estimated_rows bigint, state text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_sync';
COMMENT ON FUNCTION @extschema@.etl_sync(text, integer) IS
    'Asks for the mart of a make to be brought in step with its sources: what has changed since its seed or last sync';

CREATE FUNCTION @extschema@.etl_restate(make text, portal text, lid_from bigint, lid_to bigint)
    RETURNS TABLE (run_id bigint, portal text, chunks integer, estimated_rows bigint, state text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_restate';
COMMENT ON FUNCTION @extschema@.etl_restate(text, text, bigint, bigint) IS
    'Asks for all rows of a range of lids to be made anew in place, from lid_from on and before lid_to; NULL is no bound';

CREATE FUNCTION @extschema@.etl_fold_prices(portal text, workers integer DEFAULT NULL)
    RETURNS TABLE (run_id bigint, portal text, chunks integer, estimated_rows bigint, state text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_fold_prices';
COMMENT ON FUNCTION @extschema@.etl_fold_prices(text, integer) IS
    'Asks for the price log of a portal to be folded into its price state';

CREATE PROCEDURE @extschema@.etl_wait(run_id bigint, timeout interval DEFAULT NULL)
    LANGUAGE C AS 'MODULE_PATHNAME', 'etl_wait';
COMMENT ON PROCEDURE @extschema@.etl_wait(bigint, interval) IS
    'Waits for a run to end, telling how it goes; holds no snapshot; raises the run''s error if it failed';

CREATE FUNCTION @extschema@.etl_cancel(run_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_cancel';
COMMENT ON FUNCTION @extschema@.etl_cancel(bigint) IS 'Stops a run at once; what is done is kept for a later request';

CREATE FUNCTION @extschema@.etl_pause(run_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_pause';
COMMENT ON FUNCTION @extschema@.etl_pause(bigint) IS 'Lets the workers of a run finish their tasks and leave';

CREATE FUNCTION @extschema@.etl_resume(run_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_resume';
COMMENT ON FUNCTION @extschema@.etl_resume(bigint) IS 'Lets a paused run go on';

CREATE FUNCTION @extschema@.etl_retry(run_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_retry';
COMMENT ON FUNCTION @extschema@.etl_retry(bigint) IS 'Tries the failed tasks of a failed or cancelled run again';

CREATE FUNCTION @extschema@.etl_publish(run_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_publish';
COMMENT ON FUNCTION @extschema@.etl_publish(bigint) IS 'Publishes a run that was asked for with publish => ''manual''';

CREATE FUNCTION @extschema@.etl_revert(run_id bigint) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_revert';
COMMENT ON FUNCTION @extschema@.etl_revert(bigint) IS 'Swaps the partitions that a run published with those that they replaced';

CREATE FUNCTION @extschema@.etl_forget_old(make text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_forget_old';
COMMENT ON FUNCTION @extschema@.etl_forget_old(text) IS 'Drops the replaced partitions that stay beside the mart as <partition>_old';

REVOKE ALL ON FUNCTION @extschema@.etl_seed(text, integer, bigint, text), @extschema@.etl_sync(text, integer),
    @extschema@.etl_restate(text, text, bigint, bigint), @extschema@.etl_fold_prices(text, integer), @extschema@.etl_cancel(bigint),
    @extschema@.etl_pause(bigint), @extschema@.etl_resume(bigint), @extschema@.etl_retry(bigint), @extschema@.etl_publish(bigint), @extschema@.etl_revert(bigint),
    @extschema@.etl_forget_old(text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE @extschema@.etl_wait(bigint, interval) FROM PUBLIC;
