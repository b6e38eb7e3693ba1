\set lib_echo :ECHO
\set ECHO none
\set lib_stop :ON_ERROR_STOP
\set ON_ERROR_STOP on
-- Small sources of one make and its portals, filled, and the functions of the legacy system. Variables, to be set
-- before: make, portals, and all others of bench/generate.sql; without them 300 listings in each of three portals.
\if :{?make} \else \set make volkswagen \endif
\if :{?portals} \else \set portals mobile,autoscout,kleinanzeigen \endif
\if :{?rows} \else \set rows 300 \endif
\if :{?events} \else \set events 8 \endif
SET client_min_messages = warning;
\set lib_arguments sources, :make , :portals
\ir render.sql
\set lib_arguments functions
\ir render.sql
\ir ../../bench/generate.sql
RESET client_min_messages;
\set ON_ERROR_STOP :lib_stop
\set ECHO :lib_echo
