-- Portal @portal@, step 1: all sources joined into a wide temporary table, cleaned row by row
CREATE TEMP TABLE raw_ads_@make@_@portal@ ON COMMIT DROP AS
SELECT
    listing.lid, lot.make, '@portal@'::text AS portal, lot.model, lot.variant, lot.generation, lot.article_type,
    lot.country, lot.body AS map_body, lot.fuel AS map_fuel, lot.gearbox AS map_gearbox, lot.trim, lot.quality,
    lot.model_id, lot.variant_id,
    listing.title, listing.description,
    raw.clean_vin(listing.vin) AS vin, raw.clean_car_plate(listing.car_plate) AS car_plate,
    listing.price, lot.currency,
    raw.convert_currency_by_counties(
        lot.country, lot.currency, listing.price, stat.last_visible::date) AS price_converted,
    stat.price_first, stat.price_last,
    listing.mileage, listing.power_kw, listing.ccm, listing.doors, listing.seats, listing.fuel, listing.gearbox,
    listing.drive, listing.body, listing.color, listing.metallic, listing.first_registration,
    listing.previous_owners, listing.damaged, listing.accident, listing.condition,
    raw.compute_usage_state(
        listing.condition, listing.mileage, listing.first_registration, listing.previous_owners, listing.damaged,
        stat.last_visible::date) AS usage_state,
    listing.co2, listing.consumption, listing.emission_class, listing.emission_sticker, listing.inspection_until,
    raw.jsonb_to_array(listing.seals) AS seals, raw.jsonb_to_array(listing.equipment) AS equipment,
    listing.url, listing.images, listing.zip, listing.city, listing.lat, listing.lon, listing.vat_deductible,
    listing.leasing, listing.seller_type, listing.created,
    seller.acc_id, seller.name AS cust_name, seller.email AS cust_email, seller.phone AS cust_phone,
    seller.street AS cust_street, seller.zip AS cust_zip, seller.city AS cust_city, seller.country AS cust_country,
    seller.cust_type, seller.rating AS cust_rating, seller.rating_count AS cust_rating_count,
    seller.homepage AS cust_homepage, seller.verified AS cust_verified,
    stat.first_visible, stat.last_visible, stat.views, stat.contacts, stat.favorites, stat.days_online, stat.sold,
    jsonb_set(
        jsonb_build_object('images', listing.images, 'leasing', listing.leasing),
        '{quality}', coalesce(to_jsonb(lot.quality), jsonb 'null')) AS attributes,
    listing.modified AS ads_modified, lot.modified AS mapping_modified, stat.modified AS stat_modified,
    seller.modified AS cust_modified
FROM mapping.lot_@make@ AS lot
JOIN raw.full_auto_@portal@ AS listing ON listing.lid = lot.lid
JOIN raw.stat_auto_@portal@ AS stat ON stat.lid = listing.lid
JOIN raw.cust_auto_@portal@ AS seller ON seller.acc_id = listing.acc_id
WHERE lot.modified > :'last_modified'
  AND lot.country = '@country@'
  AND lot.article_type IN ('car', 'bus')
  AND lot.model IS NOT NULL;

-- step 2: a first or last price that the counters lack is looked for in the price log
CREATE TEMP TABLE prices_@make@_@portal@ ON COMMIT DROP AS
SELECT lid, price_first_new, price_last_new
FROM (
    SELECT lid,
           row_number() OVER newest_first AS place,
           analytic.first(price) OVER newest_first AS price_last_new,
           analytic.first(price) OVER oldest_first AS price_first_new
    FROM raw.prices_auto_@portal@
    WHERE dt IS NOT NULL
      AND price IS NOT NULL
      AND lid = ANY (
          SELECT lid FROM raw_ads_@make@_@portal@ WHERE price_last IS NULL OR price_first IS NULL)
    WINDOW newest_first AS (PARTITION BY lid ORDER BY dt DESC, price DESC
                            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
           oldest_first AS (PARTITION BY lid ORDER BY dt, price
                            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
) AS events
WHERE place = 1;

-- step 3: into the mart, over the row that is there
INSERT INTO @mart@ (@columns@)
SELECT @values@
FROM (
    SELECT ads.*, found.price_first_new, found.price_last_new,
           coalesce(ads.price_first, found.price_first_new) AS first_known,
           coalesce(ads.price_last, found.price_last_new) AS last_known
    FROM raw_ads_@make@_@portal@ AS ads
    LEFT JOIN prices_@make@_@portal@ AS found ON found.lid = ads.lid
) AS complete
ON CONFLICT (lid, make) DO UPDATE SET
    (@changed@)
  = (@excluded@);
