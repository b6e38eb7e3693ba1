-- Marts against other relations, above all the one that the old way still makes.
CREATE FUNCTION @extschema@.etl_compare(make text, relation regclass)
RETURNS TABLE (lid bigint, column_name text, mart_value text, other_value text)
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_compare';
REVOKE ALL ON FUNCTION @extschema@.etl_compare(text, regclass) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_compare(text, regclass) IS
    'Values that differ, as text, between the mart of a make and a relation of the same columns; rows of one side alone as column lid';
