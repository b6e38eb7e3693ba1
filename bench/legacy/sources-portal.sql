-- The four tables that the scraper of one portal writes.

-- listings
CREATE TABLE raw.full_auto_@portal@ (
    lid bigint PRIMARY KEY, acc_id bigint NOT NULL,
    vin text, car_plate text, price numeric(12,2), title text, description text,
    mileage integer, power_kw integer, ccm integer, doors smallint, seats smallint,
    fuel text, gearbox text, drive text, body text, color text, metallic boolean,
    first_registration date, previous_owners smallint, damaged boolean, accident boolean, condition text,
    co2 numeric(6,1), consumption numeric(5,2), emission_class text, emission_sticker smallint, inspection_until date,
    seals jsonb, equipment jsonb, url text, images smallint, zip text, city text,
    lat double precision, lon double precision, vat_deductible boolean, leasing boolean, seller_type text,
    created timestamptz, modified timestamptz NOT NULL
);

-- sellers
CREATE TABLE raw.cust_auto_@portal@ (
    acc_id bigint PRIMARY KEY,
    name text, email text, phone text, street text, zip text, city text, country text, cust_type text,
    rating numeric(3,1), rating_count integer, homepage text, verified boolean,
    modified timestamptz NOT NULL
);

-- counters of a listing; the portal leaves out its first and last price for about one in three
CREATE TABLE raw.stat_auto_@portal@ (
    lid bigint PRIMARY KEY,
    first_visible timestamptz, last_visible timestamptz, price_first numeric(12,2), price_last numeric(12,2),
    views integer, contacts integer, favorites integer, days_online integer, sold boolean,
    modified timestamptz NOT NULL
);

-- the price log: a row each time that a listing was seen, in order of arrival, never changed
CREATE TABLE raw.prices_auto_@portal@ (
    lid bigint NOT NULL, price numeric(12,2), dt date
);
CREATE INDEX ON raw.prices_auto_@portal@ (lid, dt);
