-- Keys of a price state that are not one live entry a lid, in order: entries of many versions, splits on the way, other
-- indexes than the primary key. Rows are found all the same.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pg_etl;
CREATE EXTENSION pg_etl;
CREATE SCHEMA watch_key;
SET search_path = watch_key, public;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE log (lid bigint, price numeric(12,2), dt date);
CREATE INDEX ON log (lid);
SELECT etl_add_portal('p', 'listing', 'listing', 'listing', 'log'), etl_watch_prices('p');
ALTER TABLE price_state_p SET (autovacuum_enabled = off);
CREATE VIEW differences AS SELECT count(*) AS lids, (SELECT count(*) FROM etl_check_prices('p', 100000)) AS differing
FROM price_state_p;

-- An empty key; one page; then lids between those that are there, so that pages split under the statement
INSERT INTO log VALUES (0, 1, '2020-01-01');
INSERT INTO log SELECT i * 20, i % 100, '2020-01-01' FROM generate_series(-100, 500) i;
INSERT INTO log SELECT i, i % 100, '2020-01-02' FROM generate_series(-2000, 10000) i;
INSERT INTO log VALUES (9223372036854775807, 1, '2020-01-01'), (-9223372036854775808, 1, '2020-01-01');
INSERT INTO log VALUES (9223372036854775807, 2, '2020-01-02'), (-9223372036854775808, 2, '2020-01-02');
TABLE differences;

-- Every version has an entry of its own, and none of them is dead before the transaction ends: lists of entries, and
-- lids whose entries fill pages
CREATE INDEX by_price ON price_state_p (last_price);
BEGIN;
DO $$
BEGIN
    FOR i IN 1..30 LOOP
        INSERT INTO log SELECT l, 100 + i, '2021-01-01'::date + i FROM generate_series(1, 300) l;
    END LOOP;
    FOR i IN 1..1500 LOOP
        INSERT INTO log VALUES (7, 1000 + i, '2022-01-01'::date + i), (8, 1000 + i, '2022-01-01'::date + i);
    END LOOP;
END $$;
INSERT INTO log SELECT l, 9999, '2030-01-01' FROM generate_series(1, 300) l;
TABLE differences;
COMMIT;
-- ... all but one of which are dead then, and their lines free once pages are pruned
INSERT INTO log SELECT l, 9998, '2030-01-02' FROM generate_series(1, 300) l;
INSERT INTO log SELECT l, 9997, '2030-01-03' FROM generate_series(1, 300) l;
TABLE differences;
DELETE FROM log WHERE dt >= '2021-01-01';
DELETE FROM log WHERE lid BETWEEN 100 AND 5000;
TABLE differences;
VACUUM (INDEX_CLEANUP ON) price_state_p;
INSERT INTO log SELECT i, 5, '2020-01-03' FROM generate_series(90, 5100) i;
TABLE differences;
DROP INDEX by_price;

-- Keys that are ordered the other way round, or hold more
ALTER TABLE price_state_p DROP CONSTRAINT price_state_p_pkey;
CREATE UNIQUE INDEX falling ON price_state_p (lid DESC);
INSERT INTO log SELECT i, 6, '2020-01-04' FROM generate_series(9000, 11000) i;
CREATE UNIQUE INDEX wide ON price_state_p (lid) INCLUDE (price_max);
DROP INDEX falling;
INSERT INTO log SELECT i, 7, '2020-01-05' FROM generate_series(9000, 12000) i;
TABLE differences;
DROP INDEX wide;
CREATE UNIQUE INDEX ON price_state_p (lid);
INSERT INTO log SELECT i, 8, '2020-01-06' FROM generate_series(9000, 13000) i;
TABLE differences;

-- A row without a lid, which only a key that is no primary key lets in, is nobody's
ALTER TABLE price_state_p ALTER lid DROP NOT NULL;
INSERT INTO price_state_p (lid) VALUES (NULL);
INSERT INTO log VALUES (9223372036854775807, 3, '2020-01-03'), (13001, 1, '2020-01-03');
SELECT lid, last_price FROM price_state_p WHERE lid > 13000 OR lid IS NULL ORDER BY lid;

DROP SCHEMA watch_key CASCADE;
DROP EXTENSION pg_etl;
