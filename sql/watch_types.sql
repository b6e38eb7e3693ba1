-- Prices and days of every type that a log may have, at the ends of their types: after inserts, updates and deletes the
-- price state equals a recomputation of the log, as text.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA watch_types;
SET search_path = watch_types, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE DOMAIN cents AS numeric(9,2);
CREATE DOMAIN day AS date;

-- A log of these types with some prices each, taken at random but always the same.
CREATE FUNCTION check_types(price_type text, tie text, day_type text, prices text[])
RETURNS TABLE (price_types text, day_types text, states bigint, wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
    days text[] := '{-infinity,2020-02-29,2020-03-01,1999-12-31,infinity}';
    wrong bigint[];
BEGIN
    EXECUTE format('CREATE TABLE log (id int, price %s, lid bigint, note text, dt %s)', price_type, day_type);
    CREATE INDEX ON log (lid, dt);
    PERFORM etl_add_portal('log', 'listing', 'customer', 'stat', 'log');
    PERFORM etl_watch_prices('log');
    CREATE TEMP TABLE given AS SELECT i AS id, prices[1 + abs(hashint4(i)) % cardinality(prices)] AS price,
        (abs(hashint4(i + 1000)) % 20) * (4611686018427387904 / 10) AS lid, days[1 + abs(hashint4(i + 2000)) % 5] AS dt
        FROM generate_series(1, 300) AS i;
    FOR step IN 0..5 LOOP
        EXECUTE format('INSERT INTO log SELECT id, price::%1$s, lid, NULL, dt::%2$s FROM given WHERE id %% 6 = $1',
                       price_type, day_type) USING step;
        wrong := wrong || differences(tie);
        EXECUTE format('UPDATE log AS l SET price = g.price::%1$s FROM given AS g
                        WHERE g.id = (l.id + 1) %% 300 AND l.id %% 7 = $1', price_type) USING step;
        wrong := wrong || differences(tie);
        DELETE FROM log WHERE id % 5 = step;
        wrong := wrong || differences(tie);
    END LOOP;
    RETURN QUERY SELECT price_type, day_type, (SELECT count(*) FROM price_state_log),
        (SELECT sum(w)::bigint FROM unnest(wrong) AS w);
    PERFORM etl_unwatch_prices('log');
    PERFORM etl_drop_portal('log');
    DROP TABLE price_state_log CASCADE;
    DROP TABLE log, given;
END $$;
CREATE FUNCTION differences(tie text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format($q$
        WITH counted AS (SELECT lid, price, dt FROM log WHERE lid IS NOT NULL AND price IS NOT NULL AND dt IS NOT NULL),
        expected AS (
            SELECT lid, (array_agg(price ORDER BY dt, price, %1$s))[1]::text, min(dt)::text,
                   (array_agg(price ORDER BY dt DESC, price DESC, %1$s DESC))[1]::text, max(dt)::text,
                   (array_agg(price ORDER BY price, %1$s))[1]::text,
                   (array_agg(price ORDER BY price DESC, %1$s DESC))[1]::text FROM counted GROUP BY lid),
        found AS (SELECT lid, first_price::text, first_dt::text, last_price::text, last_dt::text, price_min::text,
                         price_max::text FROM price_state_log)
        SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d
        $q$, tie) INTO n;
    RETURN n;
END $$;

-- The ends of bigint are no NaN, infinity or missing price.
SELECT * FROM check_types('smallint', '0', 'date', '{-32768,-1,0,1,32767,NULL}');
SELECT * FROM check_types('integer', '0', 'timestamp', '{-2147483648,-1,0,1,2147483647,NULL}');
SELECT * FROM check_types('bigint', '0', 'date', '{-9223372036854775808,-9223372036854775807,-9223372036854775806,-1,0,
    9223372036854775806,9223372036854775807,NULL}');
SELECT * FROM check_types('real', 'price::text COLLATE "C"', 'timestamptz',
    '{NaN,-Infinity,Infinity,-0,0,1e-45,-1e-45,3.4028235e38,-1.5,1.5,NULL}');
SELECT * FROM check_types('double precision', 'price::text COLLATE "C"', 'date',
    '{NaN,-Infinity,Infinity,-0,0,5e-324,-5e-324,1.7976931348623157e308,-1.5,1.5,NULL}');
-- With codes and without, in all mixtures; equal numbers that show differently.
SELECT * FROM check_types('numeric', 'scale(price)', 'date',
    '{NaN,-Infinity,Infinity,0,0.00,1.5,1.50,1.5000000,-1.5,-1.5000000,1e30,-1e30,1e-20,NULL}');
SELECT * FROM check_types('numeric(30,2)', 'scale(price)', 'timestamptz',
    '{NaN,0,1.5,-1.5,99999999999999999.99,9999999999999999.99,9999999999999999999999999999.99,NULL}');
SELECT * FROM check_types('numeric(40,20)', 'scale(price)', 'timestamp', '{NaN,0,1e-20,-1e-20,1e19,-1e19,1.5,NULL}');
SELECT * FROM check_types('cents', 'scale(price)', 'day', '{0,1.5,-1.5,9999999.99,-9999999.99,NULL}');

DROP SCHEMA watch_types CASCADE;
