\set lib_echo :ECHO
\set ECHO none
\set lib_stop :ON_ERROR_STOP
-- Prints rows legacy|rows ours|only legacy|only ours for the mart of :make, and differences if there are any.
\set left legacy.ads_ :make
\set right raw.ads_ :make
\ir ../../bench/compare.sql
\set ON_ERROR_STOP :lib_stop
\set ECHO :lib_echo
