-- The mapping of the make: most lids of all portals, in no order; some mapped to nothing, to other kinds of vehicles,
-- to other countries, or so long ago that the pipeline passes them over.
INSERT INTO mapping.lot_:make
SELECT lid, :'make',
       CASE WHEN pg_temp.permille(lid, :seed + 401, 950) THEN pg_temp.pick(lid, :seed + 402, model) END,
       pg_temp.pick(lid, :seed + 403, variant), pg_temp.pick(lid, :seed + 404, generation),
       pg_temp.pick(lid, :seed + 405, '{car,car,car,car,car,car,car,car,car,bus,bus,truck,motorcycle,Car,NULL}'),
       CASE WHEN pg_temp.permille(lid, :seed + 406, 940) THEN :'country'
            ELSE pg_temp.pick(lid, :seed + 407, '{AT,CH,PL,FR,US,NULL}') END,
       pg_temp.pick(lid, :seed + 408, '{EUR,EUR,EUR,EUR,EUR,CHF,PLN,USD,GBP,CZK,SEK,XAU,HRK,eur,NULL}'),
       pg_temp.pick(lid, :seed + 409, body), pg_temp.pick(lid, :seed + 410, fuel), pg_temp.pick(lid, :seed + 411, gearbox),
       pg_temp.pick(lid, :seed + 412, variant),
       CASE WHEN pg_temp.permille(lid, :seed + 413, 900) THEN pg_temp.below(lid, :seed + 414, 101) END,
       CASE WHEN pg_temp.permille(lid, :seed + 415, 950) THEN pg_temp.below(lid, :seed + 416, 2000) END,
       CASE WHEN pg_temp.permille(lid, :seed + 417, 800) THEN pg_temp.below(lid, :seed + 418, 2000000000) END,
       CASE pg_temp.below(lid, :seed + 419, 60)
           WHEN 0 THEN timestamptz '2017-03-03 03:03:03Z'
           -- around the first day that counts, which is as early as the time zone has it
           WHEN 1 THEN timestamptz '2017-12-31 00:00:00Z' + interval '1 second' * pg_temp.below(lid, :seed + 420, 172800)
           WHEN 2 THEN timestamptz '2018-01-01 00:00:00Z'
           ELSE timestamptz '2018-02-01 00:00:00Z' + interval '1 second' * pg_temp.below(lid, :seed + 421, 200000000)
       END
FROM (
    SELECT lid FROM generated_lids WHERE NOT pg_temp.permille(lid, :seed + 422, 60)
    UNION ALL  -- lids that no portal has
    SELECT 8000000000000000000 + n FROM generate_series(1, :rows / 100 + 1) AS n
) AS mapped, words
ORDER BY hashint8extended(lid, :seed + 423);
