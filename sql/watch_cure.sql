-- A fold of a watched log cures a price state that is wrong in every way, and leaves alone what is right: by pages and
-- by SQL, with as little memory as may be.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA watch_cure;
SET search_path = watch_cure, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE customer (acc_id bigint PRIMARY KEY);
CREATE TABLE stat (lid bigint PRIMARY KEY);
CREATE TABLE mapping (lid bigint PRIMARY KEY, make text, modified timestamptz);

-- Codes, numbers without a code, and a type that only SQL folds.
CREATE TABLE log_fixed (lid bigint, price numeric(12,2), dt date);
CREATE TABLE log_open (dt timestamptz, lid bigint, price numeric);
CREATE TABLE log_float (lid bigint, price double precision, dt date);
INSERT INTO log_fixed SELECT i / 3 - 100, CASE i % 41 WHEN 0 THEN 'NaN' ELSE hashint4(i) / 1000.0 END,
    CASE i % 43 WHEN 0 THEN 'infinity' ELSE date '2020-01-01' + i % 60 END FROM generate_series(1, 9000) i;
INSERT INTO log_open
SELECT (ARRAY['2020-01-01', '2020-01-02', 'infinity'])[1 + hash % 3]::timestamptz, i / 4,
       (ARRAY[1.5, 1.50, 2, 'NaN', 'Infinity', 1e15, -1e300, 1e-300, ('1' || repeat('23', 1500))::numeric, NULL])[1 + hash / 3 % 10]
FROM (SELECT i, abs(hashint4(i)) AS hash FROM generate_series(1, 4000) i) e;
INSERT INTO log_float SELECT lid, price, dt FROM log_fixed;
INSERT INTO log_float VALUES (2999, '-0', '2020-01-01'), (2999, 0, '2020-01-01');
INSERT INTO log_fixed VALUES (9223372036854775807, 1, '2020-01-01'), (-9223372036854775808, 1, '2020-01-01'), (NULL, 1, '2020-01-01');
CREATE INDEX ON log_fixed (lid);
CREATE INDEX ON log_open (lid);
CREATE INDEX ON log_float (lid);
ANALYZE;
SELECT etl_add_portal(p, 'listing', 'customer', 'stat', ('log_' || p)::regclass), etl_watch_prices(p)
FROM unnest(ARRAY['fixed', 'open', 'float']) p;

CREATE FUNCTION differences(portal text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format($q$
        WITH expected AS (
            SELECT lid, (array_agg(price ORDER BY dt, price, %3$s))[1]::text, min(dt),
                   (array_agg(price ORDER BY dt DESC, price DESC, %3$s DESC))[1]::text, max(dt),
                   (array_agg(price ORDER BY price, %3$s))[1]::text, (array_agg(price ORDER BY price DESC, %3$s DESC))[1]::text
            FROM %1$I WHERE lid IS NOT NULL AND price IS NOT NULL AND dt IS NOT NULL GROUP BY lid),
        found AS (SELECT lid, first_price::text, first_dt, last_price::text, last_dt, price_min::text, price_max::text FROM %2$I)
        SELECT count(*) FROM ((TABLE expected EXCEPT ALL TABLE found) UNION ALL (TABLE found EXCEPT ALL TABLE expected)) d
        $q$, 'log_' || portal, 'price_state_' || portal, CASE portal WHEN 'float' THEN 'price::text' ELSE 'scale(price)' END) INTO n;
    RETURN n;
END $$;

-- Says what a fold wrote, whether the price state is right, and whether it wrote any row but `broken` ones.
CREATE TABLE place (portal text, lid bigint, ctid_was tid, xmin_was xid);
CREATE TABLE broken (portal text, lid bigint);
CREATE PROCEDURE fold(of text, INOUT written bigint, INOUT differing bigint, INOUT touched bigint) LANGUAGE plpgsql AS $$
DECLARE
    run bigint;
BEGIN
    EXECUTE format('INSERT INTO place SELECT %L, lid, ctid, xmin FROM %I', of, 'price_state_' || of);
    SELECT DISTINCT r.run_id INTO run FROM etl_fold_prices(of) r;
    COMMIT;
    CALL etl_wait(run);
    SELECT rows INTO written FROM etl_runs WHERE run_id = run;
    differing := differences(of);
    EXECUTE format('SELECT count(*) FROM place p JOIN %I s ON s.lid = p.lid WHERE p.portal = %L
        AND (s.ctid, s.xmin::text) IS DISTINCT FROM (p.ctid_was, p.xmin_was::text)
        AND NOT EXISTS (SELECT FROM broken b WHERE b.portal = p.portal AND b.lid = p.lid)', 'price_state_' || of, of) INTO touched;
    DELETE FROM place;
END $$;

-- From nothing.
CALL fold('fixed', NULL, NULL, NULL);
CALL fold('open', NULL, NULL, NULL);
CALL fold('float', NULL, NULL, NULL);
-- Nothing to do.
CALL fold('fixed', NULL, NULL, NULL);
CALL fold('open', NULL, NULL, NULL);
CALL fold('float', NULL, NULL, NULL);

-- Each of these lids is wrong in a way of its own; some are neighbours.
CREATE PROCEDURE break(portal text) LANGUAGE plpgsql AS $$
DECLARE
    change text;
BEGIN
    FOREACH change IN ARRAY ARRAY[
        'DELETE FROM %1$I WHERE lid % 50 IN (1, 2, 30) OR lid > 5000',
        'UPDATE %1$I SET first_price = first_price + 1 WHERE lid % 50 IN (3, 20)',
        'UPDATE %1$I SET last_price = ''NaN'' WHERE lid % 50 = 5',
        'UPDATE %1$I SET price_min = -1e20 WHERE lid % 50 = 6',
        'UPDATE %1$I SET price_max = NULL WHERE lid % 50 = 7',
        'UPDATE %1$I SET first_dt = last_dt, last_dt = first_dt WHERE lid % 50 = 8',
        'UPDATE %1$I SET first_price = NULL, first_dt = NULL, last_price = NULL, last_dt = NULL, price_min = NULL, price_max = NULL WHERE lid % 50 = 9',
        'INSERT INTO %1$I (lid, first_price, first_dt, last_price, last_dt, price_min, price_max) SELECT i, 1, ''2020-01-01'', 1, ''2020-01-01'', 1, 1 FROM generate_series(3000, 3300) i'] LOOP
        EXECUTE format(replace(replace(change, ' % ', ' %% '), '-1e20', CASE portal WHEN 'fixed' THEN '-1' ELSE '-1e20' END),
                       'price_state_' || portal);
    END LOOP;
    -- Equal numbers, another scale.
    IF portal = 'open' THEN
        UPDATE price_state_open SET price_min = price_min * 1.00 WHERE lid % 50 = 10 AND price_min = 1.5;
    END IF;
    INSERT INTO broken SELECT portal, i FROM generate_series(-100, 3300) i WHERE i % 50 IN (1, 2, 3, 5, 6, 7, 8, 9, 10, 20, 30) OR i >= 3000;
END $$;
CALL break('fixed');
CALL break('open');
CALL break('float');
SELECT differences(p) > 100 AS is_broken FROM unnest(ARRAY['fixed', 'open', 'float']) p;
ALTER DATABASE :DBNAME SET etl.fold_memory = '256kB';
CALL fold('fixed', NULL, NULL, NULL);
CALL fold('open', NULL, NULL, NULL);
CALL fold('float', NULL, NULL, NULL);
ALTER DATABASE :DBNAME RESET etl.fold_memory;

-- A plan says which way, and that writers are at work.
SELECT etl_set_template('watch_cure', 'SELECT m.lid, {make}::text AS make, {portal}::text AS portal FROM {mapping} m');
SELECT etl_add_make('watch_cure', 'mapping', 'watch_cure.mart', template => 'watch_cure', portals => ARRAY['fixed', 'float']);
SELECT etl_unwatch_prices('fixed');
UPDATE etl.portal SET state = 'stale' WHERE portal IN ('fixed', 'float');
SELECT portal, min(regexp_replace(sql, '.* of \d+, (.*?) \*/.*', '\1')) AS how
FROM etl_plan('watch_cure', workers => 2) WHERE kind = 'fold' GROUP BY portal ORDER BY portal;
SELECT etl_watch_prices('fixed');
SELECT portal, min(regexp_replace(sql, '.* of \d+, (.*?) \*/.*', '\1')) AS how
FROM etl_plan('watch_cure', workers => 2) WHERE kind = 'fold' GROUP BY portal ORDER BY portal;
DROP SCHEMA watch_cure CASCADE;
DROP EXTENSION pg_etl;
