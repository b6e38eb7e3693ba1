-- The mart of one make: the table that its readers know. Names, types and order of the columns are what they rely on.
CREATE TABLE @mart@ (
    -- what the mapping knows
    lid bigint, make text, portal text, model text, variant text, generation text, article_type text, country text,
    map_body text, map_fuel text, map_gearbox text, trim text, quality smallint, model_id integer, variant_id integer,
    -- the listing, and its prices
    title text, description text, vin text, car_plate text, price numeric, currency text, price_converted numeric,
    price_first numeric, price_last numeric, price_first_converted numeric, price_last_converted numeric,
    mileage integer, power_kw integer, ccm integer, doors smallint, seats smallint, fuel text, gearbox text, drive text,
    body text, color text, metallic boolean, first_registration date, previous_owners smallint, damaged boolean,
    accident boolean, condition text, usage_state text, co2 numeric, consumption numeric, emission_class text,
    emission_sticker smallint, inspection_until date, seals text[], equipment text[], url text, images smallint,
    zip text, city text, lat double precision, lon double precision, vat_deductible boolean, leasing boolean,
    seller_type text, created timestamptz,
    -- the seller
    acc_id bigint, cust_name text, cust_email text, cust_phone text, cust_street text, cust_zip text, cust_city text,
    cust_country text, cust_type text, cust_rating numeric, cust_rating_count integer, cust_homepage text,
    cust_verified boolean,
    -- the counters
    first_visible timestamptz, last_visible timestamptz, views integer, contacts integer, favorites integer,
    days_online integer, sold boolean,
    -- derived, and when which source changed
    attributes jsonb, ads_modified timestamptz, mapping_modified timestamptz, stat_modified timestamptz,
    cust_modified timestamptz, modified timestamptz
);
CREATE UNIQUE INDEX @mart_name@_lid_make ON @mart@ (lid, make);
CREATE INDEX @mart_name@_model ON @mart@ (model);
CREATE INDEX @mart_name@_modified ON @mart@ (modified);
CREATE INDEX @mart_name@_acc_id ON @mart@ (acc_id);
