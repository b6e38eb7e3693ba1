\set lib_echo :ECHO
\set ECHO none
\set lib_stop :ON_ERROR_STOP
\set ON_ERROR_STOP on
-- Runs the legacy pipeline over the sources of test/lib/sources.sql into legacy.ads_<make>; again: its daily run.
-- Then \i bench/compare.sql, with the variables left and right set to the two marts, tells the differences.
\set legacy_mart legacy.ads_ :make
SET client_min_messages = warning;
\setenv MART :legacy_mart
SELECT to_regclass(:'legacy_mart') IS NULL AS lib_first \gset
\if :lib_first
\set lib_arguments mart, :make
\ir render.sql
\endif
\set lib_arguments pipeline, :make ,DE, :portals
\ir render.sql
\setenv MART
RESET client_min_messages;
\set ON_ERROR_STOP :lib_stop
\set ECHO :lib_echo
