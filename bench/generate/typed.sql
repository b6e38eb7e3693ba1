-- What people type into the fields that the pipeline cleans. dirt says how often it goes wrong; with 0 it never does.
-- way, from 0 to 999, is the decision. No FROM in here and only columns as arguments, or they would not be inlined.

-- A VIN: about one in twelve is missing, one in four wrong in one of the ways that real ones are.
CREATE FUNCTION pg_temp.typed_vin(way integer, dirt integer, vin text, wrong text, lookalike text) RETURNS text
LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN way >= 920 THEN NULL
    WHEN way >= least(250 * dirt, 900) THEN vin
    ELSE CASE way % 20
        WHEN 0 THEN lower(vin)
        WHEN 1 THEN left(vin, 3) || '-' || substr(vin, 4, 6) || '-' || substr(vin, 10)
        WHEN 2 THEN replace(vin, 'W', 'W.')
        WHEN 3 THEN ' ' || vin || E'\n'
        WHEN 4 THEN left(vin, 8) || wrong || substr(vin, 9)
        WHEN 5 THEN wrong || vin || wrong
        WHEN 6 THEN overlay(vin PLACING 'O' FROM 1 + way % 17)
        WHEN 7 THEN overlay(vin PLACING 'i' FROM 1 + way % 17)
        WHEN 8 THEN overlay(vin PLACING 'Q' FROM 1 + way % 17)
        WHEN 9 THEN left(vin, 16)
        WHEN 10 THEN vin || '7'
        WHEN 11 THEN overlay(vin PLACING lookalike FROM 1 + way % 17)
        WHEN 12 THEN left(vin, 16) || lookalike
        WHEN 13 THEN ''
        WHEN 14 THEN repeat(wrong, 17)
        WHEN 15 THEN initcap(vin)
        WHEN 16 THEN 'VIN: ' || vin
        WHEN 17 THEN repeat(vin, 30)
        WHEN 18 THEN array_to_string(string_to_array(vin, NULL), wrong)
        ELSE left(vin, 12) || wrong
    END END
$$;

-- A plate: one in seven is missing, one in three wrong.
CREATE FUNCTION pg_temp.typed_plate(way integer, dirt integer, place text, letters text, digits integer, wrong text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN way >= 850 THEN NULL
    WHEN way >= least(330 * dirt, 840) THEN place || '-' || letters || ' ' || digits
    ELSE CASE way % 11
        WHEN 0 THEN lower(place || letters) || digits
        WHEN 1 THEN place || wrong || letters || wrong || digits
        WHEN 2 THEN place || letters || digits || 'E'
        WHEN 3 THEN place || letters || digits || '-ABCDEF'
        WHEN 4 THEN left(place, 1)
        WHEN 5 THEN wrong
        WHEN 6 THEN ''
        WHEN 7 THEN repeat(place, 6)
        WHEN 8 THEN repeat(place, 7)
        WHEN 9 THEN E'\t' || place || ':' || letters || '*' || digits
        ELSE wrong || place || wrong
    END END
$$;

-- A first registration: some cars lie within a day of the limits of 30 years and of 1 year before they were last seen.
CREATE FUNCTION pg_temp.registered(way integer, dirt integer, birthday date, age integer) RETURNS date
LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN way < 60 THEN NULL
    WHEN way < 110 THEN (birthday - interval '30 years')::date + age % 3 - 1
    WHEN way < 160 THEN (birthday - interval '1 year')::date + age % 3 - 1
    WHEN way < 164 THEN '1992-02-29'
    WHEN way < 168 THEN '2024-02-29'
    WHEN way < 170 AND dirt > 0 THEN
        ('{infinity,-infinity,0044-03-15 BC,9999-12-31,1885-07-03}'::date[])[1 + age % 5]
    WHEN way < 200 THEN birthday - age
    ELSE birthday - age % 4500
END
$$;

-- A jsonb list: mostly an array or an object of flags, and all that scrapers put there when they found something else.
CREATE FUNCTION pg_temp.typed_list(way integer, dirt integer, oddity integer, known text[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN way >= 850 THEN NULL
    WHEN way >= 600 THEN jsonb_build_object(known[1], way % 2 = 0, known[2], way % 3 = 0, known[3],
                                            CASE way % 5 WHEN 0 THEN NULL WHEN 1 THEN 'null' ELSE 'yes' END,
                                            known[4], way % 7)
    WHEN way >= least(100 * dirt, 500) THEN
        to_jsonb(known[least(1 + way % 5, cardinality(known)) : least(1 + way % 5 + way % 4, cardinality(known))])
    WHEN way % 50 = 0 THEN to_jsonb(array_fill(repeat(known[1], 1 + way % 7), ARRAY[500]))
    ELSE ('{"[]","{}","\"\"","\"only one\"","null","true","7","-1.50e2",
            "[null]","[[]]","[{\"a\": [1]}, 1.10, true, null, \"x\"]","[\"NULL\", \"\", \" a,b \", \"{}\", \"\\\"q\\\\\\\\\"]",
            "{\"b\": 1, \"a\": false, \"cc\": null, \"\": {}, \"B\": []}","{\"false\": \"false\", \"null\": \"null\"}",
            "{\"aaa\": 1, \"b\": 2, \"AA\": 0}","{\"x\": false}"}'::jsonb[])[1 + oddity]
END
$$;
