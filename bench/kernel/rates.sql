-- Rates and amounts for the random arguments: no longer only what numeric(18,8) and numeric(12,2) hold, and days from one
-- end to the other.
ALTER TABLE raw.currency_rates ALTER rate TYPE numeric, ALTER rate DROP NOT NULL;
INSERT INTO raw.currency_rates (country, currency, valid_from, rate) VALUES
    ('XX', 'EUR', '-infinity', 1), ('XX', 'EUR', '2020-02-29', -1), ('XX', 'EUR', 'infinity', 2),
    ('XX', 'USD', '2018-01-01', 'NaN'), ('XX', 'USD', '2019-01-01', 'Infinity'), ('XX', 'USD', '2020-01-01', NULL),
    ('XX', 'USD', '2021-01-01', 0), ('XX', 'USD', '2022-01-01', 1e-20), ('XX', 'USD', '2023-01-01', 1e18),
    ('XX', 'CZK', '2018-01-01', 123456789.12345678), ('XX', 'CZK', '2020-01-01', 1234567.12345678),
    ('XX', 'CZK', '2022-01-01', 10000), ('XX', 'CZK', '2024-01-01', 100000000),
    ('XX', 'XAU', '1800-01-01', 0.5), ('XX', 'XAU', '2020-06-01', 1.5),
    ('XX', '', '4713-01-01 BC', 3), ('XX', '', '2020-06-01', 0.333333333333333333),
    ('', 'EUR', '2020-01-01', 0.005), ('', '', '2020-01-01', 0.0049999999999), ('', 'E', '2020-01-01', 0.01),
    ('eight or more', 'EUR', '2019-01-01', 1.1), ('Zü', 'EUR', '2019-01-01', 1.23456789), ('Zü', 'E', '2019-01-01', 7);
ALTER TABLE kernel.convert_currency_by_counties ALTER p_amount TYPE numeric;
