-- The fold statement that etl_plan shows, against the meaning of the price state said as plainly as can be.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA plan_fold;
SET search_path = plan_fold, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE mapping (lid bigint PRIMARY KEY, make text, modified timestamptz);

-- Logs of several types, with ties, repeated events, NULLs, infinite days, NaN, and equal prices of different scales.
CREATE DOMAIN amount AS numeric(10,2);
CREATE TABLE log_fixed (lid bigint, price numeric(12,2), dt date);
CREATE TABLE log_open (lid bigint, price numeric, dt timestamptz);
CREATE TABLE log_float (lid bigint, price double precision, dt timestamp);
CREATE TABLE log_whole (lid bigint, price integer, dt date);
CREATE TABLE log_domain (dt date, lid bigint, price amount) PARTITION BY HASH (lid);
CREATE TABLE log_domain_0 PARTITION OF log_domain FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE log_domain_1 PARTITION OF log_domain FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON log_fixed (lid, dt);

CREATE VIEW event AS
SELECT lid, (ARRAY[1.5, 1.50, 1.500, 2, 2.0, 7, 7.000, -3, 100.25, 99, 'NaN', NULL])[1 + hash % 12] AS price,
       (ARRAY['2020-01-01', '2020-01-02', '2021-05-05', '1999-12-31', 'infinity', '-infinity', NULL])[1 + hash / 12 % 7] AS dt
FROM (SELECT i, i / 6 - 50 AS lid, abs(hashint4(i)) AS hash FROM generate_series(1, 3000) i) e;
INSERT INTO log_fixed SELECT lid, price, dt::date FROM event UNION ALL SELECT lid, price, dt::date FROM event WHERE lid % 3 = 0;
INSERT INTO log_open SELECT lid, price, dt::timestamptz FROM event;
INSERT INTO log_open VALUES (9000, 'infinity', 'now'), (9000, 'NaN', '2020-01-01'), (9001, NULL, '2020-01-01'), (9002, 1, NULL);
INSERT INTO log_open VALUES (NULL, 1, '2020-01-01'), (9223372036854775807, 0.00, 'infinity'), (-9223372036854775808, 0, '-infinity');
INSERT INTO log_float SELECT lid, price, dt::timestamp FROM event;
INSERT INTO log_float VALUES (9000, '-0', '2020-01-01'), (9000, 0, '2020-01-01'), (9000, '-infinity', '2020-01-02');
INSERT INTO log_whole SELECT lid, price::integer, dt::date FROM event WHERE price <> 'NaN';
INSERT INTO log_domain SELECT dt::date, lid, price FROM event;

SELECT count(etl_add_portal(p, 'listing', 'customer', 'stat', ('log_' || p)::regclass))
FROM unnest(ARRAY['fixed', 'open', 'float', 'whole', 'domain']) p;
SELECT etl_set_template('plan_fold', 'SELECT m.lid, {make}::text AS make, {portal}::text AS portal FROM {mapping} m');
SELECT etl_add_make('plan_fold', 'mapping', 'plan_fold.mart', template => 'plan_fold',
                    portals => ARRAY['fixed', 'open', 'float', 'whole', 'domain']);

-- Folds by the plan's own statements and says how many rows each portal's wrote.
CREATE FUNCTION fold() RETURNS TABLE (portal text, written bigint) LANGUAGE plpgsql AS $$
DECLARE
    task record;
BEGIN
    FOR task IN SELECT * FROM etl_plan('plan_fold') t WHERE t.kind = 'fold' ORDER BY t.task_no LOOP
        portal := task.portal;
        EXECUTE task.sql INTO written;
        RETURN NEXT;
    END LOOP;
END $$;

-- tie: what tells equal prices apart.
CREATE FUNCTION differences(portal text, tie text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    EXECUTE format($q$
        WITH counted AS (SELECT lid, price, dt, %2$s AS tie FROM %1$I WHERE lid IS NOT NULL AND price IS NOT NULL AND dt IS NOT NULL),
        expected AS (
            SELECT l.lid::bigint, first.price::text AS first_price, first.dt::text AS first_dt, last.price::text AS last_price,
                   last.dt::text AS last_dt, least.price::text AS price_min, greatest.price::text AS price_max
            FROM (SELECT DISTINCT lid FROM counted) l,
                 LATERAL (SELECT * FROM counted c WHERE c.lid = l.lid ORDER BY dt, price, tie LIMIT 1) first,
                 LATERAL (SELECT * FROM counted c WHERE c.lid = l.lid ORDER BY dt DESC, price DESC, tie DESC LIMIT 1) last,
                 LATERAL (SELECT * FROM counted c WHERE c.lid = l.lid ORDER BY price, tie LIMIT 1) least,
                 LATERAL (SELECT * FROM counted c WHERE c.lid = l.lid ORDER BY price DESC, tie DESC LIMIT 1) greatest),
        found AS (
            SELECT lid, first_price::text, first_dt::text, last_price::text, last_dt::text, price_min::text, price_max::text
            FROM %3$I)
        SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d
        $q$, 'log_' || portal, tie, 'price_state_' || portal) INTO found;
    RETURN found;
END $$;
CREATE VIEW outcome AS
SELECT portal, differences(portal, tie)
FROM (VALUES ('fixed', '0'), ('open', 'COALESCE(scale(price), 0)'), ('float', 'price::text COLLATE "C"'), ('whole', '0'),
             ('domain', '0')) v (portal, tie);

SELECT * FROM fold();
TABLE outcome;
SELECT lid, first_price, last_price, price_min, price_max FROM price_state_open
WHERE lid IN (9000, 9001, 9002, 9223372036854775807, -9223372036854775808) ORDER BY lid;

-- Again: nothing differs, so nothing is written.
SELECT * FROM fold();

-- What changed is written, and nothing else; modified tells.
CREATE TABLE before AS SELECT lid, xmin AS writer FROM price_state_open;
INSERT INTO log_open VALUES (1, 0.001, '2010-01-01'), (20000, 5, '2020-01-01');
DELETE FROM log_open WHERE lid IN (2, 3);
-- the same number in another scale is another state
UPDATE price_state_open SET price_min = price_min + 0.0000 WHERE lid = 4;
INSERT INTO price_state_open VALUES (30000, 1, '2020-01-01', 1, '2020-01-01', 1, 1, now());
SELECT * FROM fold() WHERE written > 0;
TABLE outcome;
SELECT lid FROM price_state_open s LEFT JOIN before b USING (lid) WHERE s.xmin IS DISTINCT FROM b.writer ORDER BY lid;
TRUNCATE log_whole;
SELECT * FROM fold() WHERE written > 0;
SELECT count(*) FROM price_state_whole;

SELECT etl_drop_make('plan_fold');
SELECT etl_drop_template('plan_fold');
SELECT count(etl_drop_portal(p)) FROM unnest(ARRAY['fixed', 'open', 'float', 'whole', 'domain']) p;
DROP SCHEMA plan_fold CASCADE;
