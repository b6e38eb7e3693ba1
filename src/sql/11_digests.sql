-- Digests of rows: what tells whether a range of a mart still is what was written. Executable by PUBLIC: they see no more
-- than what they are given.
CREATE FUNCTION etl.row_digest("row" record) RETURNS bigint
    AS 'MODULE_PATHNAME', 'etl_row_digest'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION etl.row_digest(record) IS
    'Digest of a row: of the names of its columns and the bytes of their values, in whatever order and however stored; columns that are NULL count as not there. No defence against intent';

CREATE FUNCTION etl.add_row_digest(sum bigint, "row" record) RETURNS bigint
    AS 'MODULE_PATHNAME', 'etl_add_row_digest'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION etl.add_row_digest(bigint, record) IS 'A digest of rows and one more row';

CREATE FUNCTION etl.add_digests(one bigint, other bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'etl_add_digests'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION etl.add_digests(bigint, bigint) IS 'The digest of the rows of both: the sum modulo 2^64';

CREATE FUNCTION etl.subtract_digests(whole bigint, part bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'etl_subtract_digests'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION etl.subtract_digests(bigint, bigint) IS 'The digest of the rows that are left: the difference modulo 2^64';

CREATE AGGREGATE etl.sum_digests(bigint) (
    SFUNC = etl.add_digests, STYPE = bigint, INITCOND = '0', COMBINEFUNC = etl.add_digests, PARALLEL = SAFE
);
COMMENT ON AGGREGATE etl.sum_digests(bigint) IS 'The digest of all rows that these are digests of: the sum modulo 2^64';

CREATE AGGREGATE etl.digest(record) (
    SFUNC = etl.add_row_digest, STYPE = bigint, INITCOND = '0', COMBINEFUNC = etl.add_digests, PARALLEL = SAFE
);
COMMENT ON AGGREGATE etl.digest(record) IS
    'Digest of rows in whatever order: the sum of etl.row_digest modulo 2^64, 0 where there are none';
