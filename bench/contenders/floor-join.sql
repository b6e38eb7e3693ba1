-- The join alone, as the executor does it best: see tuned-load.sql. Each column of the mart's sources is looked at.
BEGIN;
CREATE TEMP TABLE narrow ON COMMIT DROP AS
SELECT lot.*, stat.first_visible, stat.last_visible, stat.price_first, stat.price_last, stat.views, stat.contacts,
       stat.favorites, stat.days_online, stat.sold, stat.modified AS stat_modified, log.first_price, log.last_price
FROM :mapping AS lot
JOIN raw.stat_auto_:portal AS stat ON stat.lid = lot.lid AND stat.lid :side
LEFT JOIN raw.price_state_:portal AS log ON log.lid = lot.lid AND log.lid :side
WHERE lot.modified > '2018-01-01' AND lot.country = :'country' AND lot.article_type IN ('car', 'bus')
  AND lot.model IS NOT NULL AND lot.lid :side;
ANALYZE narrow;
SELECT string_agg(format('%s.%I', alias, attname), ', ') AS columns
FROM (VALUES ('listing', 'raw.full_auto_' || :'portal'), ('seller', 'raw.cust_auto_' || :'portal'), ('narrow', 'narrow'))
     AS source (alias, name)
JOIN pg_attribute ON attrelid = name::regclass AND attnum > 0 AND NOT attisdropped \gset
SELECT sum(num_nonnulls(:columns))
FROM raw.full_auto_:portal AS listing
JOIN narrow ON narrow.lid = listing.lid
JOIN raw.cust_auto_:portal AS seller ON seller.acc_id = listing.acc_id
WHERE listing.lid :side;
COMMIT;
