-- What every database of the legacy system has once: its schemas and the currency rates.
CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS mapping;
CREATE SCHEMA IF NOT EXISTS analytic;

-- From valid_from on, one unit of currency is worth rate units of the money of country.
CREATE TABLE IF NOT EXISTS raw.currency_rates (
    country text, currency text, valid_from date,
    rate numeric(18,8) NOT NULL,
    PRIMARY KEY (country, currency, valid_from)
);
