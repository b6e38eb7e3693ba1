-- Fills the tables of tables.sql with made-up arguments that are as nasty as a hundred lines can make them, :inputs rows
-- from row :first on. The same rows are the same arguments.
\ir ../generate/chance.sql
TRUNCATE kernel.clean_vin, kernel.clean_car_plate, kernel.compute_usage_state, kernel.convert_currency_by_counties,
    kernel.jsonb_to_array;

CREATE TEMP TABLE piece AS SELECT
    '{0,1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,J,K,L,M,N,P,R,S,T,U,V,W,X,Y,Z,a,b,c,w,x,y,z}'::text[] AS vin,
    '{A,B,M,W,Ü,Ö,Ä,ü,ö,ä,z,k,0,1,7,9,-," "}'::text[] AS plate,
    array_remove(array_cat(
        '{I,O,Q,i,o,q," ",-,.,/,@,[,`,\{,:,"\t","\n",~}'::text[],
        (SELECT array_agg(chr(code)) FROM unnest('{127,128,160,171,191,192,195,196,214,215,220,223,228,229,246,252,255,256,
            304,305,383,776,769,1040,1042,1045,7838,8203,8238,8490,12484,65279,65313,65297,65345,128663,1114109}'::int[])
            AS code)), NULL) AS nasty,
    '{NULL,new,demo,used,New,DEMO,"new ","",newer,dem,demonstration}'::text[] AS condition,
    '{"",a,b,bb,abs,"Xenon, LED","say \"x\"","a text of more than sixteen bytes","null",false,ü,日本,
        "one of thirty-two bytes, exactly."}'::text[] AS name,
    '{"null","null",false,true,1,-1.50,1e3,"\"x\"","\"false\"","\"\"","[]","[1, null]","{\"a\": false}"}'::jsonb[] AS value,
    '{DE,CH,PL,XX,"","eight or more","Zü"}'::text[] AS country, '{EUR,USD,CZK,XAU,SEK,XXX,"",E}'::text[] AS currency,
    '{0,-0.0,NaN,Infinity,-Infinity,0.005,-0.005,0.015,1e-30,123456789012345.675,9999999999999999.99,1e15,1e16,1e20,
        0.30000000000000004,99999.995}'::numeric[] AS amount,
    '{-infinity,infinity,2000-02-29,2021-02-28,2021-03-01,1900-01-01,4713-01-01 BC,9999-12-31}'::date[] AS day;

-- Numbers from 1 on are salts, one for each decision.
INSERT INTO kernel.clean_vin (v)
SELECT CASE WHEN pg_temp.permille(n, 1, 980) THEN
           (SELECT coalesce(string_agg(CASE WHEN pg_temp.permille(n * 64 + i, 2, CASE WHEN n % 3 = 0 THEN 0 ELSE 100 END)
                                            THEN pg_temp.pick(n * 64 + i, 3, nasty)
                                            ELSE pg_temp.pick(n * 64 + i, 4, vin) END, ''), '')
            FROM generate_series(1, CASE WHEN n % 3 < 2 THEN 16 + pg_temp.below(n, 5, 3)
                                         ELSE pg_temp.below(n, 6, 40) END) AS i)
       END
FROM piece, generate_series(:first, :first + :inputs - 1) AS n;

INSERT INTO kernel.clean_car_plate (v)
SELECT CASE WHEN pg_temp.permille(n, 11, 980) THEN
           (SELECT coalesce(string_agg(CASE WHEN pg_temp.permille(n * 64 + i, 12, CASE WHEN n % 3 = 0 THEN 0 ELSE 100 END)
                                            THEN pg_temp.pick(n * 64 + i, 13, nasty)
                                            ELSE pg_temp.pick(n * 64 + i, 14, plate) END, ''), '')
            FROM generate_series(1, pg_temp.below(n, 15, CASE WHEN n % 10 = 0 THEN 40 ELSE 16 END)) AS i)
       END
FROM piece, generate_series(:first, :first + :inputs - 1) AS n;

-- Days within three of the limits of 1 and 30 years, and far away.
INSERT INTO kernel.compute_usage_state (condition, mileage, first_registration, previous_owners, damaged, as_of)
SELECT pg_temp.pick(n, 21, condition),
       CASE pg_temp.below(n, 22, 6) WHEN 0 THEN NULL WHEN 1 THEN 99 + n % 3 WHEN 2 THEN 14999 + n % 3 WHEN 3 THEN -1
           ELSE pg_temp.below(n, 23, 30000) END,
       CASE pg_temp.below(n, 24, 6) WHEN 0 THEN NULL
           WHEN 1 THEN day[1 + pg_temp.below(n, 25, cardinality(day))]
           WHEN 2 THEN (as_of - interval '1 year')::date + pg_temp.below(n, 26, 7) - 3
           WHEN 3 THEN (as_of - interval '30 years')::date + pg_temp.below(n, 26, 7) - 3
           ELSE as_of - pg_temp.below(n, 27, 12000) END,
       CASE WHEN pg_temp.permille(n, 28, 700) THEN pg_temp.below(n, 29, 3)::smallint END,
       CASE WHEN pg_temp.permille(n, 30, 700) THEN pg_temp.permille(n, 31, 100) END, as_of
FROM piece, generate_series(:first, :first + :inputs - 1) AS n,
LATERAL (SELECT CASE pg_temp.below(n, 32, 20) WHEN 0 THEN NULL WHEN 1 THEN date '1700-01-01' + pg_temp.below(n, 33, 300000)
                    WHEN 2 THEN (ARRAY['infinity', '-infinity', '4000-02-29', '0004-02-29']::date[])[1 + n % 4]
                    ELSE date '1990-01-01' + pg_temp.below(n, 34, 20000) END AS as_of) AS drawn;

INSERT INTO kernel.convert_currency_by_counties (p_country, p_currency, p_amount, p_on)
SELECT CASE WHEN pg_temp.permille(n, 41, 980) THEN pg_temp.pick(n, 42, country) END,
       CASE WHEN pg_temp.permille(n, 43, 980) THEN pg_temp.pick(n, 44, currency) END,
       CASE pg_temp.below(n, 45, 10) WHEN 0 THEN NULL WHEN 1 THEN amount[1 + pg_temp.below(n, 46, cardinality(amount))]
           WHEN 2 THEN -pg_temp.below(n, 47, 1000000) / 1000.0
           WHEN 3 THEN pg_temp.below(n, 47, 100000) * power(10::numeric, pg_temp.below(n, 48, 14) - 8)
           WHEN 4 THEN pg_temp.below(n, 47, 2147483647) + pg_temp.below(n, 48, 100000000) / 1e8
           ELSE pg_temp.below(n, 47, 9000000) / 100.0 END,
       CASE WHEN pg_temp.permille(n, 49, 30) THEN NULL
           WHEN pg_temp.permille(n, 50, 100) THEN day[1 + pg_temp.below(n, 51, cardinality(day))]
           ELSE date '2018-06-01' + pg_temp.below(n, 52, 3000) END
FROM piece, generate_series(:first, :first + :inputs - 1) AS n;

INSERT INTO kernel.jsonb_to_array (j)
SELECT CASE pg_temp.below(n, 61, 10)
           WHEN 0 THEN value[1 + pg_temp.below(n, 62, cardinality(value))]
           WHEN 1 THEN to_jsonb(pg_temp.pick(n, 63, name))
           WHEN 2 THEN NULL
           WHEN 3 THEN (SELECT coalesce(jsonb_agg(value[1 + pg_temp.below(n * 64 + i, 64, cardinality(value))]), '[]')
                        FROM generate_series(1, pg_temp.below(n, 65, 8)) AS i)
           WHEN 4 THEN (SELECT coalesce(jsonb_agg(value[1 + pg_temp.below(n * 64 + i, 64, 4)]), '[]')
                        FROM generate_series(1, pg_temp.below(n, 65, 20)) AS i)
           WHEN 5 THEN (SELECT coalesce(jsonb_agg(CASE WHEN i % 7 > 0 THEN pg_temp.pick(n * 64 + i, 66, name) END), '[]')
                        FROM generate_series(1, pg_temp.below(n, 67, 70)) AS i)
           WHEN 6 THEN (SELECT coalesce(jsonb_agg(pg_temp.pick(n * 64 + i, 66, name)), '[]')
                        FROM generate_series(1, pg_temp.below(n, 67, 9)) AS i)
           ELSE (SELECT coalesce(jsonb_object_agg(pg_temp.pick(n * 64 + i, 68, name) || i % pg_temp.below(n, 71, 50),
                                                  value[1 + pg_temp.below(n * 64 + i, 69, cardinality(value))]), '{}')
                 FROM generate_series(1, pg_temp.below(n, 70, CASE WHEN n % 20 = 0 THEN 60 ELSE 9 END)) AS i
                 WHERE pg_temp.below(n, 71, 50) > 0)
       END
FROM piece, generate_series(:first, :first + :inputs - 1) AS n;

