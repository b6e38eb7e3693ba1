-- The legacy pipeline of one make: a single session, a single transaction, portal after portal. The first run finds an
-- empty mart and takes everything; later runs take what the mapping changed since the newest row of the mart.
\set ON_ERROR_STOP on
SELECT count(*) > 0 AS daily_run FROM (SELECT FROM @mart@ LIMIT 1) AS any_row \gset
SELECT coalesce(max(modified), timestamptz '2018-01-01') AS last_modified FROM @mart@ \gset
BEGIN;
