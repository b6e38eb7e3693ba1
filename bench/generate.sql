-- Fills the source tables of the legacy system (bench/legacy/render sources) with made-up listings that are as skewed
-- and as dirty as real ones. The same variables give the same data, in every time zone; only text that the database's
-- encoding can't hold differs. All are optional:
--   psql -v make=volkswagen     the make whose mapping is filled
--        -v country=DE          the country of most of its listings
--        -v portals=mobile,autoscout,kleinanzeigen
--        -v rows=100000         listings per portal
--        -v events=20           price events per listing, on average
--        -v seed=1              other seeds, other data
--        -v layout=interleaved  or ranges: lids of the portals side by side, or each in a range of its own
--        -v dirt=1              0: tidy, 1: as dirty as real data, 2 and up: that many times as often
--        -f bench/generate.sql
\set ON_ERROR_STOP on
\set generate_quiet :QUIET
\set QUIET on
\if :{?make} \else \set make volkswagen \endif
\if :{?country} \else \set country DE \endif
\if :{?portals} \else \set portals mobile,autoscout,kleinanzeigen \endif
\if :{?rows} \else \set rows 100000 \endif
\if :{?events} \else \set events 20 \endif
\if :{?seed} \else \set seed 1 \endif
\if :{?layout} \else \set layout interleaved \endif
\if :{?dirt} \else \set dirt 1 \endif

BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL work_mem = '128MB';
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL synchronous_commit = off;
SET LOCAL jit = off;
\ir generate/chance.sql
\ir generate/words.sql
\ir generate/typed.sql
\ir generate/rates.sql
SELECT cardinality(string_to_array(:'portals', ',')) AS portal_count, 0 AS portal_number \gset
\ir generate/portal.sql
\ir generate/mapping.sql
COMMIT;

-- Outside the transaction, so that readers may use the tables meanwhile.
ANALYZE raw.currency_rates;
SELECT format('ANALYZE mapping.lot_%s', :'make')
UNION ALL
SELECT format('ANALYZE raw.%s_auto_%s', kind, portal)
FROM unnest(string_to_array(:'portals', ',')) AS portal, unnest('{full,cust,stat,prices}'::text[]) AS kind \gexec
\set QUIET :generate_quiet
