-- What a DBA would write by hand instead of the legacy pipeline: the rows of one portal on one side of a lid. Two sessions
-- run it, one a side, each for all portals; the indexes follow, two a session.
-- psql variables: portal, side ('< 123' or '>= 123'), country, mapping, target.
-- What is narrow (mapping, counters, folded prices, rates) is joined first, so that the wide listings are read once and
-- hashed nowhere; its own statistics tell the planner so. A rate is one probe of a table of days (tuned-rates.sql). No
-- PL/pgSQL: each function is an expression, with a quick way for the values that most rows have.
BEGIN;
CREATE TEMP TABLE narrow ON COMMIT DROP AS
SELECT lid, make, model, variant, generation, article_type, country, map_body, map_fuel, map_gearbox, trim,
       quality, model_id, variant_id, currency, mapping_modified, first_visible, last_visible, views, contacts,
       favorites, days_online, sold, stat_modified, price_first, price_last, first_rate.rate AS first_rate,
       last_rate.rate AS last_rate
FROM (
    SELECT lot.lid, lot.make, lot.model, lot.variant, lot.generation, lot.article_type, lot.country,
           lot.body AS map_body, lot.fuel AS map_fuel, lot.gearbox AS map_gearbox, lot.trim, lot.quality,
           lot.model_id, lot.variant_id, lot.currency, lot.modified AS mapping_modified,
           stat.first_visible, stat.last_visible, stat.views, stat.contacts, stat.favorites, stat.days_online,
           stat.sold, stat.modified AS stat_modified,
           coalesce(stat.price_first, log.first_price) AS price_first,
           coalesce(stat.price_last, log.last_price) AS price_last
    FROM :mapping AS lot
    JOIN raw.stat_auto_:portal AS stat ON stat.lid = lot.lid AND stat.lid :side
    LEFT JOIN raw.price_state_:portal AS log ON log.lid = lot.lid AND log.lid :side
    WHERE lot.modified > '2018-01-01' AND lot.country = :'country' AND lot.article_type IN ('car', 'bus')
      AND lot.model IS NOT NULL AND lot.lid :side
) AS counted
LEFT JOIN tuned.rate AS first_rate ON first_rate.money = currency AND first_rate.day = first_visible::date
LEFT JOIN tuned.rate AS last_rate ON last_rate.money = currency AND last_rate.day = last_visible::date;
ANALYZE narrow;

INSERT INTO :target
SELECT
    lid, make, portal, model, variant, generation, article_type, country, map_body, map_fuel, map_gearbox, trim, quality,
    model_id, variant_id, title, description,
    CASE WHEN octet_length(vin) = 17 AND vin !~ '[^0-9A-HJ-NPR-Z]' COLLATE "C" THEN vin
         ELSE substring(upper(regexp_replace(vin, '[^A-Za-z0-9]', '', 'g') COLLATE "C")
                        FROM '^[0-9A-HJ-NPR-Z]{17}$') END,
    CASE WHEN car_plate ~ '^[A-Z0-9][A-Z0-9 -]{4,7}[A-Z0-9]$' COLLATE "C" THEN translate(car_plate, ' -', '')
         ELSE substring(translate(upper(regexp_replace(car_plate, '[^A-Za-zÄÖÜäöü0-9]', '', 'g') COLLATE "C"),
                                  'äöü', 'ÄÖÜ') FROM '^.{2,12}$') END,
    price, currency, round(price * last_rate, 2), price_first, price_last,
    round(price_first * first_rate, 2), round(price_last * last_rate, 2),
    mileage, power_kw, ccm, doors, seats, fuel, gearbox, drive, body, color, metallic, first_registration,
    previous_owners, damaged, accident, condition,
    CASE WHEN damaged THEN 'damaged'
         WHEN condition = 'demo' THEN 'demonstration'
         WHEN last_day - interval '30 years' >= first_registration THEN 'classic'
         WHEN condition = 'new' AND coalesce(mileage, 0) < 100 AND coalesce(previous_owners, 0) = 0 THEN 'new'
         WHEN mileage < 15000 AND last_day - interval '1 year' < first_registration THEN 'nearly_new'
         WHEN condition IS NULL AND mileage IS NULL AND first_registration IS NULL THEN NULL
         ELSE 'used' END,
    co2, consumption, emission_class, emission_sticker, inspection_until,
    CASE jsonb_typeof(seals)
         WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(seals))
         WHEN 'object' THEN ARRAY(SELECT member.key FROM jsonb_each(seals) WITH ORDINALITY AS member (key, value, place)
                                  WHERE member.value NOT IN (jsonb 'null', jsonb 'false') ORDER BY member.place)
         WHEN 'string' THEN ARRAY[seals #>> '{}'] END,
    CASE jsonb_typeof(equipment)
         WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(equipment))
         WHEN 'object' THEN ARRAY(SELECT member.key FROM jsonb_each(equipment) WITH ORDINALITY AS member (key, value, place)
                                  WHERE member.value NOT IN (jsonb 'null', jsonb 'false') ORDER BY member.place)
         WHEN 'string' THEN ARRAY[equipment #>> '{}'] END,
    url, images, zip, city, lat, lon, vat_deductible, leasing, seller_type, created,
    acc_id, cust_name, cust_email, cust_phone, cust_street, cust_zip, cust_city, cust_country, cust_type, cust_rating,
    cust_rating_count, cust_homepage, cust_verified,
    first_visible, last_visible, views, contacts, favorites, days_online, sold,
    jsonb_build_object('images', images, 'leasing', leasing, 'quality', quality),
    ads_modified, mapping_modified, stat_modified, cust_modified, greatest(ads_modified, mapping_modified, stat_modified)
FROM (
    SELECT listing.lid, make, :'portal'::text AS portal, model, variant, generation, article_type, lot.country, map_body,
           map_fuel, map_gearbox, trim, quality, model_id, variant_id, currency, title, description, vin, car_plate, price,
           price_first, price_last, first_rate, last_rate,
           mileage, power_kw, ccm, doors, seats, fuel, gearbox, drive, body, color, metallic, first_registration,
           previous_owners, damaged, accident, condition, co2, consumption, emission_class, emission_sticker,
           inspection_until, seals, equipment, url, images, listing.zip, listing.city, lat, lon, vat_deductible, leasing,
           seller_type, created,
           seller.acc_id, seller.name AS cust_name, seller.email AS cust_email, seller.phone AS cust_phone,
           seller.street AS cust_street, seller.zip AS cust_zip, seller.city AS cust_city,
           seller.country AS cust_country, seller.cust_type, seller.rating AS cust_rating,
           seller.rating_count AS cust_rating_count, seller.homepage AS cust_homepage, seller.verified AS cust_verified,
           first_visible, last_visible, last_visible::date AS last_day, views, contacts, favorites, days_online, sold,
           listing.modified AS ads_modified, mapping_modified, stat_modified, seller.modified AS cust_modified
    FROM raw.full_auto_:portal AS listing
    JOIN narrow AS lot ON lot.lid = listing.lid
    JOIN raw.cust_auto_:portal AS seller ON seller.acc_id = listing.acc_id
    WHERE listing.lid :side
) AS joined;
COMMIT;
