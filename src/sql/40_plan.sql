-- The dry run.
CREATE FUNCTION @extschema@.etl_plan(make text, workers integer DEFAULT NULL, chunk_rows bigint DEFAULT NULL)
RETURNS TABLE (task_no integer, kind text, portal text, lid_from bigint, lid_to bigint, estimated_rows bigint,
               estimated_bytes bigint, sql text)
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_plan';
REVOKE ALL ON FUNCTION @extschema@.etl_plan(text, integer, bigint) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_plan(text, integer, bigint) IS
    'The tasks that etl_seed would make of a make, each with its SQL; writes nothing';
