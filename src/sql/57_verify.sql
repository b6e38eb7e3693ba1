-- Verifications and what they find.
CREATE FUNCTION @extschema@.etl_verify(make text, level text DEFAULT 'digest', repair boolean DEFAULT false)
    RETURNS TABLE (run_id bigint, portal text, chunks integer, estimated_rows bigint, state text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_verify';
REVOKE ALL ON FUNCTION @extschema@.etl_verify(text, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_verify(text, text, boolean) IS
    'Asks for the mart of a make to be compared with what was written and with its sources: count, summary, digest or source; repair makes what differs anew. etl_differences shows what was found';

CREATE FUNCTION @extschema@.etl_differences(run_id bigint)
    RETURNS TABLE (portal text, lid_from bigint, lid_to bigint, lid bigint, column_name text, mart_value text,
                   source_value text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_differences';
REVOKE ALL ON FUNCTION @extschema@.etl_differences(bigint) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_differences(bigint) IS
    'What a verification has found: the listing and column that differ, what the mart has and what the source view gives';
