-- What the partitions of marts are in step with. Dumped: in a copy the partitions are as much in step with its sources.
CREATE TABLE etl.partition (
    relation regclass PRIMARY KEY,
    make     text NOT NULL,
    portal   text NOT NULL,
    mark     timestamptz NOT NULL,
    rates    bigint,
    dead     bigint NOT NULL DEFAULT 0,
    view     regclass,
    position pg_lsn,
    cluster  bigint
);
CREATE INDEX partition_make ON etl.partition (make, portal);
COMMENT ON TABLE etl.partition IS 'The partitions that seeds have filled, replaced ones included, and what each is in step with';
COMMENT ON COLUMN etl.partition.relation IS 'Table';
COMMENT ON COLUMN etl.partition.make IS 'Make whose rows it holds';
COMMENT ON COLUMN etl.partition.portal IS 'Portal whose rows it holds';
COMMENT ON COLUMN etl.partition.view IS
    'Source view that all its rows were made from; where the make has another by now, its definition or its relations may be others';
COMMENT ON COLUMN etl.partition.mark IS 'High-water mark: it holds what transactions that began before have written to the sources';
COMMENT ON COLUMN etl.partition.position IS
    'Position of the write-ahead log: it holds what the sources'' pages were written with before; NULL where that is not known';
COMMENT ON COLUMN etl.partition.cluster IS 'Identifier of the cluster whose log that is';
COMMENT ON COLUMN etl.partition.rates IS
    'The set of rates that its amounts were converted with, etl.used_rate; NULL where they were several';
COMMENT ON COLUMN etl.partition.dead IS 'Versions of rows that syncs have left behind in it since it was last vacuumed by one';

-- Rates have no time of change, so what was used is kept, once for all partitions that have used the same.
CREATE TABLE etl.used_rate (
    set        bigint NOT NULL,
    country    text NOT NULL,
    currency   text NOT NULL,
    valid_from date NOT NULL,
    rate       numeric,
    PRIMARY KEY (set, country, currency, valid_from)
);
COMMENT ON TABLE etl.used_rate IS 'Sets of currency rates that partitions were computed with';
COMMENT ON COLUMN etl.used_rate.set IS 'The set: a digest of its rates; 0 for no rates';
COMMENT ON COLUMN etl.used_rate.country IS 'Country to whose currency is converted';
COMMENT ON COLUMN etl.used_rate.currency IS 'Currency that is converted';
COMMENT ON COLUMN etl.used_rate.valid_from IS 'First day of the rate';
COMMENT ON COLUMN etl.used_rate.rate IS 'Rate';

CREATE TABLE etl.digest (
    relation regclass NOT NULL,
    lid_from bigint,
    lid_to   bigint,
    rows     bigint NOT NULL,
    digest   bigint NOT NULL
);
CREATE UNIQUE INDEX digest_range ON etl.digest (relation, lid_from) NULLS NOT DISTINCT;
COMMENT ON TABLE etl.digest IS 'Digests of the rows of each partition by ranges of lids: what etl_verify compares the partition with';
COMMENT ON COLUMN etl.digest.relation IS 'Partition';
COMMENT ON COLUMN etl.digest.lid_from IS 'First lid of the range; NULL for no lower bound';
COMMENT ON COLUMN etl.digest.lid_to IS 'Lid before which it ends; NULL for no upper bound';
COMMENT ON COLUMN etl.digest.rows IS 'Rows in the range';
COMMENT ON COLUMN etl.digest.digest IS 'Sum of the digests of the rows, modulo 2^64';

CREATE TABLE etl.price_emptied (
    price_state regclass NOT NULL,
    lid         bigint,
    modified    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX price_emptied_modified ON etl.price_emptied (price_state, modified);
COMMENT ON TABLE etl.price_emptied IS 'Listings that lost their last price event, and with it their row of the price state, for syncs to find';
COMMENT ON COLUMN etl.price_emptied.price_state IS 'Price state';
COMMENT ON COLUMN etl.price_emptied.lid IS 'Listing; NULL for all that the price state had';
COMMENT ON COLUMN etl.price_emptied.modified IS 'Start of the transaction that removed the row';

SELECT pg_extension_config_dump('etl.partition', '');
SELECT pg_extension_config_dump('etl.used_rate', '');
SELECT pg_extension_config_dump('etl.digest', '');
SELECT pg_extension_config_dump('etl.price_emptied', '');
