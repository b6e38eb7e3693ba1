-- Sellers of the portal. One in fifty is missing, but none of the largest.
INSERT INTO raw.cust_auto_:portal
SELECT n,
       CASE WHEN pg_temp.permille(n, :salt + 20, 980) THEN 'Autohaus ' || n || ' '
            || pg_temp.pick(n, :salt + 21, remark) END,
       CASE WHEN pg_temp.permille(n, :salt + 22, 900) THEN 'seller' || n || '@example.org' END,
       CASE WHEN pg_temp.permille(n, :salt + 23, 900) THEN '+49 ' || pg_temp.below(n, :salt + 23, 100000000) END,
       CASE WHEN pg_temp.permille(n, :salt + 24, 900) THEN 'Street ' || pg_temp.below(n, :salt + 24, 200) END,
       CASE WHEN pg_temp.permille(n, :salt + 25, 900)
            THEN lpad(pg_temp.below(n, :salt + 25, 100000)::text, 5, '0') END,
       pg_temp.pick(n, :salt + 26, city),
       pg_temp.pick(n, :salt + 27, '{DE,DE,DE,AT,CH,NULL}'),
       pg_temp.pick(n, :salt + 28, '{dealer,private,NULL}'),
       CASE WHEN pg_temp.permille(n, :salt + 29, 700) THEN pg_temp.below(n, :salt + 29, 51) / 10.0 END,
       CASE WHEN pg_temp.permille(n, :salt + 30, 700) THEN pg_temp.below(n, :salt + 30, 3000) END,
       CASE WHEN pg_temp.permille(n, :salt + 31, 400) THEN 'https://example.org/' || n END,
       CASE WHEN pg_temp.permille(n, :salt + 32, 900) THEN pg_temp.permille(n, :salt + 33, 500) END,
       timestamptz '2019-01-01 00:00Z' + interval '1 second' * pg_temp.below(n, :salt + 34, 180000000)
FROM generate_series(1, :rows / 8 + 2) AS n, words
WHERE n <= 10 OR NOT pg_temp.permille(n, :salt + 35, 20);
