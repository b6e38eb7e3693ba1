-- The schema of everything that is not called by users, and the refusal to be installed into it.
DO $$
BEGIN
    IF pg_catalog.current_schema() OPERATOR(pg_catalog.=) 'etl' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
            MESSAGE = 'extension "pg_etl" cannot be installed into schema "etl"',
            DETAIL = 'The extension makes the schema "etl" for its catalog, kernels and source views.',
            HINT = 'Use CREATE EXTENSION pg_etl, or name another schema for its functions and views.';
    END IF;
END $$;

-- From here on nothing in the script can be captured by objects of others: what is not in pg_catalog is named with its
-- schema, the functions and views that users call with the one that CREATE EXTENSION chose.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA etl;
REVOKE ALL ON SCHEMA etl FROM PUBLIC;
GRANT USAGE ON SCHEMA etl TO PUBLIC;
COMMENT ON SCHEMA etl IS 'pg_etl: catalog, kernels and source views; use the etl_ functions to change anything in it';
