\set lib_echo :ECHO
\set ECHO none
\set lib_stop :ON_ERROR_STOP
\set ON_ERROR_STOP on
-- The functions of the legacy system, in schemas raw and analytic, as what our kernels are compared with.
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS analytic;
\set lib_arguments functions
\ir render.sql
RESET client_min_messages;
\set ON_ERROR_STOP :lib_stop
\set ECHO :lib_echo
