-- Listings of the portal, roughly in order of lid, as they arrived.
INSERT INTO raw.full_auto_:portal
SELECT lid,
       CASE WHEN pg_temp.permille(n, :salt + 201, 15) THEN -1 - n ELSE acc_id END,
       pg_temp.typed_vin(vin_way, :dirt, vin, wrong_vin, lookalike),
       pg_temp.typed_plate(plate_way, :dirt, district, letters, digits, wrong_plate),
       CASE pg_temp.below(n, :salt + 212, 25)
           WHEN 0 THEN NULL
           WHEN 1 THEN pg_temp.below(n, :salt + 213, 9000000) / 100.0
           WHEN 2 THEN CASE WHEN :dirt > 0 AND n % 50 = 0 THEN 'NaN'
                            WHEN n % 50 < 3 THEN pg_temp.below(n, :salt + 213, 3) - 1 ELSE 9999999999.99 END
           ELSE pg_temp.below(n, :salt + 213, 90000)
       END,
       CASE WHEN pg_temp.permille(n, :salt + 214, 980)
            THEN :'make' || ' ' || n || ' ' || pg_temp.pick(n, :salt + 215, remark) END,
       CASE pg_temp.below(n, :salt + 216, 200)
           WHEN 0 THEN pg_temp.noise(n, :salt + 217, 300 + pg_temp.below(n, :salt + 217, 100))
           WHEN 1 THEN repeat(pg_temp.pick(n, :salt + 218, remark) || ' Scheckheft ' || n, 700)
           WHEN 2 THEN repeat('x', pg_temp.below(n, :salt + 217, 3000))
           WHEN 3 THEN NULL
           WHEN 4 THEN ''
           ELSE pg_temp.pick(n, :salt + 218, remark) || repeat(' gepflegt, unfallfrei, ' || n,
                                                               1 + pg_temp.below(n, :salt + 217, 20))
       END,
       CASE pg_temp.below(n, :salt + 219, 20)
           WHEN 0 THEN NULL WHEN 1 THEN pg_temp.below(n, :salt + 220, 200) WHEN 2 THEN 14999 + n % 3
           ELSE pg_temp.below(n, :salt + 220, 250000) END,
       CASE WHEN pg_temp.permille(n, :salt + 221, 950) THEN 30 + pg_temp.below(n, :salt + 222, 300) END,
       CASE WHEN pg_temp.permille(n, :salt + 223, 900) THEN 900 + pg_temp.below(n, :salt + 224, 5000) END,
       CASE WHEN pg_temp.permille(n, :salt + 225, 900) THEN 2 + pg_temp.below(n, :salt + 226, 4) END,
       CASE WHEN pg_temp.permille(n, :salt + 227, 900) THEN 2 + pg_temp.below(n, :salt + 228, 8) END,
       pg_temp.pick(n, :salt + 229, fuel), pg_temp.pick(n, :salt + 230, gearbox), pg_temp.pick(n, :salt + 231, drive),
       pg_temp.pick(n, :salt + 232, body), pg_temp.pick(n, :salt + 233, color),
       CASE WHEN pg_temp.permille(n, :salt + 234, 900) THEN pg_temp.permille(n, :salt + 235, 500) END,
       pg_temp.registered(registered_way, :dirt, birthday, age),
       CASE WHEN pg_temp.permille(n, :salt + 242, 800) THEN pg_temp.below(n, :salt + 243, 5) END,
       CASE WHEN pg_temp.permille(n, :salt + 244, 850) THEN pg_temp.permille(n, :salt + 245, 70) END,
       CASE WHEN pg_temp.permille(n, :salt + 246, 850) THEN pg_temp.permille(n, :salt + 247, 50) END,
       pg_temp.pick(n, :salt + 248, condition),
       CASE WHEN pg_temp.permille(n, :salt + 249, 800) THEN pg_temp.below(n, :salt + 250, 3500) / 10.0 END,
       CASE WHEN pg_temp.permille(n, :salt + 251, 800) THEN pg_temp.below(n, :salt + 252, 2500) / 100.0 END,
       pg_temp.pick(n, :salt + 253, emission_class),
       CASE WHEN pg_temp.permille(n, :salt + 254, 800) THEN 1 + pg_temp.below(n, :salt + 255, 4) END,
       CASE WHEN pg_temp.permille(n, :salt + 256, 600) THEN date '2020-01-31' + pg_temp.below(n, :salt + 257, 2500) END,
       pg_temp.typed_list(seal_way, :dirt, oddity, seal), pg_temp.typed_list(equipment_way, :dirt, oddity, equipment),
       CASE WHEN pg_temp.permille(n, :salt + 266, 990) THEN 'https://' || :'portal' || '.example/?lid=' || lid END,
       CASE WHEN pg_temp.permille(n, :salt + 267, 900) THEN pg_temp.below(n, :salt + 268, 40) END,
       CASE WHEN pg_temp.permille(n, :salt + 269, 950)
            THEN lpad(pg_temp.below(n, :salt + 270, 100000)::text, 5, '0') END,
       pg_temp.pick(n, :salt + 271, city),
       CASE WHEN pg_temp.permille(n, :salt + 272, 900) THEN 47 + 8 * pg_temp.fraction(n, :salt + 273)
            WHEN :dirt > 0 AND n % 100 = 0 THEN 'NaN' END,
       CASE WHEN pg_temp.permille(n, :salt + 272, 900) THEN 6 + 9 * pg_temp.fraction(n, :salt + 274)
            WHEN :dirt > 0 AND n % 100 = 0 THEN '-0' END,
       CASE WHEN pg_temp.permille(n, :salt + 275, 900) THEN pg_temp.permille(n, :salt + 276, 300) END,
       CASE WHEN pg_temp.permille(n, :salt + 277, 900) THEN pg_temp.permille(n, :salt + 278, 100) END,
       pg_temp.pick(n, :salt + 279, seller_type),
       CASE WHEN pg_temp.permille(n, :salt + 280, 980) THEN first_seen END,
       timestamptz '2019-01-01 00:00Z' + interval '1 second' * pg_temp.below(n, :salt + 281, 180000000)
FROM (
    SELECT generated.*, remark, fuel, gearbox, drive, body, color, condition, emission_class, seal, equipment, city,
           seller_type,
           pg_temp.below(n, :salt + 202, 1000) AS vin_way,
           'WVWZZZ' || translate(left(md5(concat(n, '/', :salt)), 11), '3456789abcdef', 'JKMTUWXYZABPL') AS vin,
           pg_temp.pick(n, :salt + 203, junk) AS wrong_vin, pg_temp.pick(n, :salt + 204, lookalike) AS lookalike,
           pg_temp.below(n, :salt + 206, 1000) AS plate_way, pg_temp.pick(n, :salt + 207, district) AS district,
           translate(left(md5(n::text), 2), '0123456789', 'QRSTUVWXYZ') AS letters,
           1 + pg_temp.below(n, :salt + 208, 9999) AS digits, pg_temp.pick(n, :salt + 209, junk) AS wrong_plate,
           pg_temp.below(n, :salt + 236, 1000) AS registered_way, pg_temp.below(n, :salt + 237, 15000) AS age,
           pg_temp.below(n, :salt + 258, 1000) AS seal_way, pg_temp.below(n, :salt + 259, 1000) AS equipment_way,
           pg_temp.below(n, :salt + 260, 16) AS oddity
    FROM generated, words
    ORDER BY n + pg_temp.below(n, :salt + 282, 2000), n
) AS listing;
