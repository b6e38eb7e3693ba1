-- Counters of a listing. One in fifty listings has none; for a third the portal gave no first or last price.
INSERT INTO raw.stat_auto_:portal
SELECT lid, first_seen, last_seen,
       CASE WHEN lacking BETWEEN 0 AND 279 THEN NULL
            WHEN :dirt > 0 AND lacking = 999 THEN 'NaN'
            ELSE pg_temp.below(n, :salt + 61, 9000000) / 100.0 END,
       CASE WHEN lacking BETWEEN 50 AND 329 THEN NULL
            ELSE pg_temp.below(n, :salt + 62, 9000000) / 100.0 END,
       CASE WHEN pg_temp.permille(n, :salt + 63, 950) THEN pg_temp.below(n, :salt + 63, 50000) END,
       CASE WHEN pg_temp.permille(n, :salt + 64, 800) THEN pg_temp.below(n, :salt + 64, 90) END,
       CASE WHEN pg_temp.permille(n, :salt + 65, 800) THEN pg_temp.below(n, :salt + 65, 400) END,
       CASE WHEN pg_temp.permille(n, :salt + 66, 900) THEN pg_temp.below(n, :salt + 66, 400) END,
       CASE WHEN pg_temp.permille(n, :salt + 67, 900) THEN pg_temp.permille(n, :salt + 68, 300) END,
       CASE WHEN isfinite(last_seen) THEN last_seen ELSE '2023-01-01 00:00Z' END
           + interval '1 second' * pg_temp.below(n, :salt + 69, 90000)
FROM (SELECT *, pg_temp.below(n, :salt + 60, 1000) AS lacking FROM generated) AS listing
WHERE NOT pg_temp.permille(n, :salt + 70, 20)
ORDER BY hashint8extended(n, :salt + 71);
