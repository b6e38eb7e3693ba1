\if :daily_run
-- Listings whose counters changed while their mapping did not.
CREATE TEMP TABLE raw_stat_@make@ ON COMMIT DROP AS
@changed_stats@;
UPDATE @mart@ AS ads
SET first_visible = changed.first_visible, last_visible = changed.last_visible, views = changed.views,
    contacts = changed.contacts, favorites = changed.favorites, days_online = changed.days_online, sold = changed.sold,
    price_converted = raw.convert_currency_by_counties(
        ads.country, ads.currency, ads.price, changed.last_visible::date),
    stat_modified = changed.modified,
    modified = greatest(ads.modified, changed.modified)
FROM raw_stat_@make@ AS changed
WHERE changed.lid = ads.lid
  AND ads.lid NOT IN (SELECT lid FROM mapping.lot_@make@ WHERE modified > :'last_modified');
\endif
COMMIT;
