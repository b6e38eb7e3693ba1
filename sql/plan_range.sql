-- etl_plan for the template that ships: the chunks cover all rows once, and each table is read by its own lid range.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA plan_range;
SET search_path = plan_range, public;
CREATE TABLE listing (
    lid bigint PRIMARY KEY, acc_id bigint NOT NULL, vin text, car_plate text, price numeric(12,2), title text,
    description text, mileage integer, power_kw integer, ccm integer, doors smallint, seats smallint, fuel text,
    gearbox text, drive text, body text, color text, metallic boolean, first_registration date,
    previous_owners smallint, damaged boolean, accident boolean, condition text, co2 numeric(6,1),
    consumption numeric(5,2), emission_class text, emission_sticker smallint, inspection_until date, seals jsonb,
    equipment jsonb, url text, images smallint, zip text, city text, lat double precision, lon double precision,
    vat_deductible boolean, leasing boolean, seller_type text, created timestamptz, modified timestamptz NOT NULL);
CREATE TABLE customer (
    acc_id bigint PRIMARY KEY, name text, email text, phone text, street text, zip text, city text, country text,
    cust_type text, rating numeric(3,1), rating_count integer, homepage text, verified boolean,
    modified timestamptz NOT NULL);
CREATE TABLE stat (
    lid bigint PRIMARY KEY, first_visible timestamptz, last_visible timestamptz, price_first numeric(12,2),
    price_last numeric(12,2), views integer, contacts integer, favorites integer, days_online integer, sold boolean,
    modified timestamptz NOT NULL);
CREATE TABLE prices (lid bigint NOT NULL, price numeric(12,2), dt date);
CREATE TABLE mapping (
    lid bigint PRIMARY KEY, make text NOT NULL, model text, variant text, generation text, article_type text,
    country text, currency text, body text, fuel text, gearbox text, trim text, quality smallint, model_id integer,
    variant_id integer, modified timestamptz NOT NULL);
CREATE TABLE rates (country text, currency text, valid_from date, rate numeric(18,8) NOT NULL);

-- Two portals take turns in lids from 1 to 10000, a third one has lids of its own, negative ones and the largest.
CREATE FUNCTION add_portal(portal text, lids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['listing', 'customer', 'stat', 'prices'] LOOP
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', relation || '_' || portal, relation);
    END LOOP;
    EXECUTE format('INSERT INTO %I (acc_id, modified) SELECT a, now() FROM generate_series(0, 9) a', 'customer_' || portal);
    EXECUTE format('INSERT INTO %I (lid, acc_id, price, modified) SELECT l, abs(l %% 10), 100, now() FROM unnest($1) l',
                   'listing_' || portal) USING lids;
    EXECUTE format('INSERT INTO %I (lid, price_first, modified) SELECT l, NULLIF(l %% 3, 0), now() FROM unnest($1) l',
                   'stat_' || portal) USING lids;
    EXECUTE format('INSERT INTO %I SELECT l, 7, ''2020-01-01'' FROM unnest($1) l', 'prices_' || portal) USING lids;
    INSERT INTO mapping (lid, make, model, article_type, country, modified)
    SELECT l, 'vw', CASE WHEN l % 7 <> 0 THEN 'Golf' END, 'car', 'DE', '2020-01-01' FROM unnest(lids) l;
    PERFORM etl_add_portal(portal, ('listing_' || portal)::regclass, ('customer_' || portal)::regclass,
                           ('stat_' || portal)::regclass, ('prices_' || portal)::regclass);
END $$;
SELECT etl_set_rates('rates');
SELECT add_portal('odd', ARRAY(SELECT generate_series(1, 10000, 2)));
SELECT add_portal('even', ARRAY(SELECT generate_series(2, 10000, 2)));
SELECT add_portal('far', ARRAY(SELECT generate_series(-9223372036854775808, -9223372036854775808 + 999, 1)
                               UNION ALL SELECT generate_series(9223372036854775807 - 999, 9223372036854775807, 1)));
SELECT etl_add_make('vw', 'mapping', 'plan_range.mart', 'DE', portals => ARRAY['odd', 'even', 'far']);
ANALYZE;

-- Without a word about chunks so little is one chunk a portal.
SELECT kind, portal, lid_from, lid_to, count(*) FROM etl_plan('vw') GROUP BY 1, 2, 3, 4 ORDER BY min(task_no);

-- Chunks of a portal meet, are open at both ends, and share the rows.
CREATE TABLE chunk AS SELECT * FROM etl_plan('vw', 2, 600) WHERE kind = 'load';
SELECT portal, count(*) AS chunks, count(*) FILTER (WHERE lid_from IS NULL) AS first, count(*) FILTER (WHERE lid_to IS NULL) AS last,
       bool_and(lid_from IS NOT DISTINCT FROM before) AS meet, sum(estimated_rows) BETWEEN 1900 AND 5100 AS sum,
       max(estimated_rows) <= 601 AS few_enough, min(estimated_rows) > 400 AS many_enough, bool_and(estimated_bytes > estimated_rows * 50) AS bytes
FROM (SELECT *, lag(lid_to) OVER (PARTITION BY portal ORDER BY task_no) AS before FROM chunk) c GROUP BY portal ORDER BY portal;
SELECT count(*) BETWEEN 9900 AND 10000 AS many FROM etl_plan('vw', chunk_rows => 1) WHERE kind = 'load' AND portal <> 'far';

-- The statements of all chunks together give the source views' rows.
CREATE FUNCTION rows_of_chunks() RETURNS TABLE (portal text, chunks bigint, rows bigint, missing bigint, extra bigint) LANGUAGE plpgsql AS $$
DECLARE
    task record;
    view regclass;
BEGIN
    FOR portal, chunks IN SELECT c.portal, count(*) FROM chunk c GROUP BY 1 ORDER BY 1 LOOP
        SELECT s.view INTO view FROM etl.source s WHERE s.make = 'vw' AND s.portal = rows_of_chunks.portal;
        EXECUTE format('CREATE TEMP TABLE loaded AS SELECT * FROM %s WITH NO DATA', view);
        FOR task IN SELECT * FROM chunk c WHERE c.portal = rows_of_chunks.portal LOOP
            EXECUTE 'INSERT INTO loaded ' || task.sql;
        END LOOP;
        SELECT count(*) INTO rows FROM loaded;
        EXECUTE format('SELECT count(*) FROM (SELECT * FROM %s EXCEPT ALL SELECT * FROM loaded) d', view) INTO missing;
        EXECUTE format('SELECT count(*) FROM (SELECT * FROM loaded EXCEPT ALL SELECT * FROM %s) d', view) INTO extra;
        DROP TABLE loaded;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM rows_of_chunks();

-- How EXPLAIN shows the relations of a chunk's statement: by a range of lids or not.
CREATE FUNCTION scans(query text) RETURNS TABLE (relation text, by_range boolean) LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN QUERY
    WITH RECURSIVE node AS (
        SELECT plan -> 0 -> 'Plan' AS node
        UNION ALL
        SELECT jsonb_array_elements(n.node -> 'Plans') FROM node n)
    SELECT n.node ->> 'Relation Name',
           concat(n.node ->> 'Index Cond', n.node ->> 'Recheck Cond', n.node ->> 'Filter') ~ 'lid >= .*lid < '
    FROM node n WHERE n.node ? 'Relation Name' ORDER BY 1;
END $$;
SELECT s.* FROM chunk c, scans(c.sql) s WHERE c.task_no = (SELECT min(task_no) + 1 FROM chunk WHERE portal = 'odd');
SET enable_seqscan = off;
SET enable_hashjoin = off;
SELECT s.* FROM chunk c, scans(c.sql) s WHERE c.task_no = (SELECT min(task_no) + 1 FROM chunk WHERE portal = 'far');
RESET enable_seqscan;
RESET enable_hashjoin;

-- It writes nothing.
BEGIN READ ONLY;
SELECT count(*) > 0 AS planned FROM etl_plan('vw');
COMMIT;

-- Relations that were never analysed are sampled, empty ones give one chunk, grown ones are looked at anew.
CREATE TABLE later AS SELECT * FROM mapping;
TRUNCATE mapping;
SELECT portal, lid_from, lid_to, estimated_rows FROM etl_plan('vw', chunk_rows => 10) WHERE kind = 'load';
INSERT INTO mapping SELECT * FROM later;
INSERT INTO listing_odd (lid, acc_id, modified) SELECT l, 1, now() FROM generate_series(20001, 100000, 2) l;
INSERT INTO mapping (lid, make, modified) SELECT l, 'vw', now() FROM generate_series(20001, 100000, 2) l;
SELECT count(*) BETWEEN 40 AND 50 AS chunks, max(estimated_rows) <= 1001 AS few_enough
FROM etl_plan('vw', chunk_rows => 1000) WHERE portal = 'odd' AND kind = 'load';
-- How long a worker is expected to take stands behind the SQL of tasks of some length, and of no others.
SELECT chunk_rows, count(*) > 0 AS chunks, bool_and(sql ~ ' /\* about \d+\.\d s of a worker \*/$') AS all, bool_or(sql ~ ' s of a worker ') AS any
FROM unnest(ARRAY[1000, 1000000]) AS chunk_rows, etl_plan('vw', chunk_rows => chunk_rows)
WHERE portal = 'odd' AND kind = 'load' GROUP BY chunk_rows ORDER BY chunk_rows;

-- Errors.
SELECT * FROM etl_plan(NULL);
SELECT * FROM etl_plan('nobody''s');
SELECT * FROM etl_plan('vw', 0);
SELECT * FROM etl_plan('vw', 1, 0);

-- Rights: the make's owner, members and superusers may ask, and the plan has the owner's rights whoever asks.
CREATE ROLE regress_plan_owner LOGIN;
CREATE ROLE regress_plan_member IN ROLE regress_plan_owner;
CREATE ROLE regress_plan_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO regress_plan_owner, regress_plan_other;
GRANT ALL ON SCHEMA plan_range TO regress_plan_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA plan_range TO regress_plan_owner;
SET ROLE regress_plan_owner;
SELECT etl_add_make('owned', 'mapping', 'plan_range.owned', portals => ARRAY['odd', 'far']);
-- The price state is the portal owner's to fold.
\set VERBOSITY sqlstate
SELECT count(*) FROM etl_plan('owned');
RESET ROLE;
UPDATE etl.portal SET state = 'as_of' WHERE portal IN ('odd', 'far');
SET ROLE regress_plan_member;
SELECT count(*) FROM etl_plan('owned') WHERE kind IN ('fold', 'load');
SET ROLE regress_plan_other;
SELECT count(*) FROM etl_plan('owned');
RESET ROLE;
SELECT count(*) FROM etl_plan('owned') WHERE kind = 'load';
REVOKE SELECT ON mapping FROM regress_plan_owner;
SELECT count(*) FROM etl_plan('owned');
\set VERBOSITY default

SELECT etl_drop_make('owned');
DROP OWNED BY regress_plan_owner, regress_plan_member, regress_plan_other;
DROP ROLE regress_plan_owner, regress_plan_member, regress_plan_other;
SELECT etl_drop_make('vw');
SELECT count(etl_drop_portal(p)) FROM unnest(ARRAY['odd', 'even', 'far']) p;
DELETE FROM etl.rates;
DROP SCHEMA plan_range CASCADE;
