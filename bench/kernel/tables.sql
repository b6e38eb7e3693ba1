-- What the kernels are measured on: a table for each in schema kernel, with the arguments of its calls for the listings
-- of a portal and, as expected, what the legacy function answers. Where NULL is no argument but the end of the matter
-- (all but the usage state) rows with NULLs are left out: those calls would cost nothing. Variable: portal.
CREATE SCHEMA kernel;

CREATE TABLE kernel.clean_vin AS
SELECT vin AS v FROM raw.full_auto_:portal WHERE vin IS NOT NULL;

CREATE TABLE kernel.clean_car_plate AS
SELECT car_plate AS v FROM raw.full_auto_:portal WHERE car_plate IS NOT NULL;

CREATE TABLE kernel.compute_usage_state AS
SELECT ads.condition, ads.mileage, ads.first_registration, ads.previous_owners, ads.damaged,
       stat.last_visible::date AS as_of
FROM raw.full_auto_:portal ads JOIN raw.stat_auto_:portal stat USING (lid);

CREATE TABLE kernel.convert_currency_by_counties AS
SELECT m.country AS p_country, m.currency AS p_currency, ads.price AS p_amount, stat.last_visible::date AS p_on
FROM raw.full_auto_:portal ads JOIN raw.stat_auto_:portal stat USING (lid) JOIN mapping.lot_volkswagen m USING (lid)
WHERE num_nulls(m.country, m.currency, ads.price, stat.last_visible) = 0;

CREATE TABLE kernel.jsonb_to_array AS
SELECT j FROM raw.full_auto_:portal ads, unnest(ARRAY[seals, equipment]) AS j WHERE j IS NOT NULL;

ALTER TABLE kernel.clean_vin ADD expected text;
ALTER TABLE kernel.clean_car_plate ADD expected text;
ALTER TABLE kernel.compute_usage_state ADD expected text;
ALTER TABLE kernel.convert_currency_by_counties ADD expected numeric;
ALTER TABLE kernel.jsonb_to_array ADD expected text[];
