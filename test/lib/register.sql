\set lib_echo :ECHO
\set ECHO none
\set lib_stop :ON_ERROR_STOP
\set ON_ERROR_STOP on
-- Makes the portals and the make of test/lib/sources.sql known to pg_etl, after CREATE EXTENSION.
SET client_min_messages = warning;
SELECT count(*) AS lib_count
FROM unnest(string_to_array(:'portals', ',')) AS portal,
     etl_add_portal(portal, ('raw.full_auto_' || portal)::regclass, ('raw.cust_auto_' || portal)::regclass,
                    ('raw.stat_auto_' || portal)::regclass, ('raw.prices_auto_' || portal)::regclass) \gset
SELECT 1 AS lib_count FROM etl_add_make(:'make', ('mapping.lot_' || :'make')::regclass, country => 'DE') \gset
RESET client_min_messages;
\set ON_ERROR_STOP :lib_stop
\set ECHO :lib_echo
