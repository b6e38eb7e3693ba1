-- Currency rates: a quarter of a year each, from 2019 on; the dollar only from 2021 on, the crown for ever, the rest of
-- the currencies that listings name not at all.
INSERT INTO raw.currency_rates (country, currency, valid_from, rate)
SELECT country, currency, date '2019-01-01' + 91 * quarter,
       round((rate * (0.9 + 0.2 * pg_temp.fraction(quarter, :seed + rank)))::numeric, 8)
FROM unnest('{DE,CH,PL,FR,US}'::text[]) AS country
CROSS JOIN unnest('{EUR,CHF,PLN,GBP,CZK}'::text[], '{1,1.05,0.23,1.17,0.04}'::float[])
     WITH ORDINALITY AS known (currency, rate, rank)
CROSS JOIN generate_series(0, 24) AS quarter
UNION ALL
SELECT :'country', 'USD', day, rate FROM (VALUES (date '2021-02-28', 0.83), ('2021-03-01', 0.82999999), ('2024-02-29', 0.9))
    AS dollar (day, rate)
UNION ALL
SELECT :'country', 'SEK', '-infinity', 0.09123456
UNION ALL
SELECT :'country', 'SEK', 'infinity', 99
UNION ALL
SELECT :'country', 'XAU', '2022-06-30', 'NaN' WHERE :dirt > 0
ON CONFLICT DO NOTHING;
