-- The template that ships: gives the mart of the legacy system, column by column. Numbers lose their sources' precision,
-- since the mart's have none. The names of functions outside pg_catalog are qualified: nothing else is looked into.
INSERT INTO etl.template (name, owner, query) VALUES ('ads', NULL, $template$
SELECT ads.lid, m.make, {portal} AS portal,
       m.model, m.variant, m.generation, m.article_type, m.country, m.body AS map_body, m.fuel AS map_fuel,
       m.gearbox AS map_gearbox, m.trim, m.quality, m.model_id, m.variant_id,
       ads.title, ads.description, etl.clean_vin(ads.vin) AS vin, etl.clean_car_plate(ads.car_plate) AS car_plate,
       ads.price::numeric AS price, m.currency,
       etl.convert_currency_by_counties(m.country, m.currency, ads.price, stat.last_visible::date) AS price_converted,
       COALESCE(stat.price_first, ps.first_price)::numeric AS price_first,
       COALESCE(stat.price_last, ps.last_price)::numeric AS price_last,
       etl.convert_currency_by_counties(m.country, m.currency, COALESCE(stat.price_first, ps.first_price),
                                        stat.first_visible::date) AS price_first_converted,
       etl.convert_currency_by_counties(m.country, m.currency, COALESCE(stat.price_last, ps.last_price),
                                        stat.last_visible::date) AS price_last_converted,
       ads.mileage, ads.power_kw, ads.ccm, ads.doors, ads.seats,
       ads.fuel, ads.gearbox, ads.drive, ads.body, ads.color, ads.metallic,
       ads.first_registration, ads.previous_owners, ads.damaged, ads.accident,
       ads.condition,
       etl.compute_usage_state(ads.condition, ads.mileage, ads.first_registration, ads.previous_owners, ads.damaged,
                               stat.last_visible::date) AS usage_state,
       ads.co2::numeric AS co2, ads.consumption::numeric AS consumption, ads.emission_class, ads.emission_sticker,
       ads.inspection_until,
       etl.jsonb_to_array(ads.seals) AS seals, etl.jsonb_to_array(ads.equipment) AS equipment,
       ads.url, ads.images, ads.zip, ads.city,
       ads.lat, ads.lon, ads.vat_deductible, ads.leasing, ads.seller_type,
       ads.created,
       cust.acc_id, cust.name AS cust_name, cust.email AS cust_email, cust.phone AS cust_phone,
       cust.street AS cust_street, cust.zip AS cust_zip, cust.city AS cust_city,
       cust.country AS cust_country, cust.cust_type, cust.rating::numeric AS cust_rating,
       cust.rating_count AS cust_rating_count, cust.homepage AS cust_homepage,
       cust.verified AS cust_verified,
       stat.first_visible, stat.last_visible, stat.views, stat.contacts, stat.favorites,
       stat.days_online, stat.sold,
       jsonb_set(jsonb_build_object('images', ads.images, 'leasing', ads.leasing), '{quality}',
                 COALESCE(to_jsonb(m.quality), 'null'::jsonb)) AS attributes,
       ads.modified AS ads_modified, m.modified AS mapping_modified, stat.modified AS stat_modified,
       cust.modified AS cust_modified,
       GREATEST(ads.modified, m.modified, stat.modified) AS modified
FROM {listing} ads
JOIN {customer} cust ON cust.acc_id = ads.acc_id
JOIN {stat} stat ON stat.lid = ads.lid
JOIN {mapping} m ON m.lid = ads.lid
LEFT JOIN {price_state} ps ON ps.lid = ads.lid
WHERE m.model IS NOT NULL
  AND m.article_type IN ('car', 'bus')
  AND m.modified > '2018-01-01'
  AND ({country} IS NULL OR m.country = {country})
$template$);
