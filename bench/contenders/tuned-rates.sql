-- The rates of the make's country, day by day: of each day on which a listing was seen first or last.
CREATE SCHEMA IF NOT EXISTS tuned;
DROP TABLE IF EXISTS tuned.rate;
CREATE TABLE tuned.rate AS
SELECT day, currency AS money, (SELECT rate FROM raw.currency_rates AS r WHERE r.country = :'country'
                       AND r.currency = known.currency AND valid_from <= day ORDER BY valid_from DESC LIMIT 1) AS rate
FROM (SELECT DISTINCT currency FROM raw.currency_rates WHERE country = :'country') AS known
CROSS JOIN (SELECT day::date FROM generate_series(timestamp '2015-01-01', '2030-12-31', interval '1 day') AS day
            UNION ALL VALUES (date '-infinity'), ('infinity')) AS calendar;
ANALYZE tuned.rate;
