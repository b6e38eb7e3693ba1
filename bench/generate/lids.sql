-- What all tables of a portal share about a listing: n from 1 to rows, its lid, its seller, the days it was seen.
-- Lids come in blocks of 512, most of them dense, some thinner, some sparse, now and then after a great leap; a handful
-- lies where arithmetic goes wrong: around zero, below it, at both ends of bigint.
CREATE TEMP TABLE IF NOT EXISTS generated (
    portal text, n bigint, lid bigint, acc_id bigint, first_seen timestamptz, last_seen timestamptz, birthday date
) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS generated_lids (lid bigint) ON COMMIT DROP;
TRUNCATE generated;

INSERT INTO generated
WITH steps AS (
    SELECT n,
           1 + CASE pg_temp.below(n / 512, :salt + 1, 10)
                   WHEN 7 THEN pg_temp.below(n, :salt + 2, 4)
                   WHEN 8 THEN pg_temp.below(n, :salt + 2, 50)
                   WHEN 9 THEN pg_temp.below(n, :salt + 2, 5000)
                   ELSE 0
               END
             + CASE WHEN pg_temp.below(n, :salt + 3, 5000) = 0 THEN pg_temp.below(n, :salt + 4, 20000000) ELSE 0 END
               AS step
    FROM generate_series(1, :rows) AS n
), places AS (
    SELECT n, (sum(step) OVER (ORDER BY n))::bigint AS place FROM steps
), lids AS (
    SELECT n,
           CASE
               WHEN :rows < 20 OR n BETWEEN 4 AND :rows - 2 THEN
                   CASE :'layout' WHEN 'ranges' THEN (:portal_number + 1) * 10000000000000 + place
                                  ELSE 1000000 + place * :portal_count + :portal_number END
               WHEN n = 1 THEN '-9223372036854775808'::bigint + :portal_number
               WHEN n = 2 THEN -4000000000000 - :portal_number
               WHEN n = 3 THEN :portal_number - 1
               WHEN n = :rows - 1 THEN 5000000000000000000 + :portal_number
               ELSE 9223372036854775807 - :portal_number
           END AS lid
    FROM places
), seen AS (
    -- Seconds are added as seconds: days would be as long as the session's time zone makes them.
    SELECT n, lid,
           timestamptz '2019-03-01 00:00:00Z' + interval '1 second' * pg_temp.below(n, :salt + 5, 180000000) AS last_seen
    FROM lids
)
SELECT :'portal', n, lid,
       -- the first sellers have most of the cars
       1 + floor(power(pg_temp.fraction(n, :salt + 6), 3) * (:rows / 8 + 2))::bigint,
       last_seen - interval '1 second' * pg_temp.below(n, :salt + 7, 20000000),
       last_seen,
       (last_seen AT TIME ZONE 'UTC')::date
FROM seen;

-- Leap days, and the days that 30 years and 1 year before them fall on.
UPDATE generated
SET last_seen = CASE n % 4 WHEN 0 THEN '2024-02-29 11:00Z'::timestamptz WHEN 1 THEN '2024-02-28 23:30Z'
                           WHEN 2 THEN '2024-03-01 00:00Z' ELSE '2020-02-29 12:00Z' END
WHERE pg_temp.permille(n, :salt + 8, 10);
UPDATE generated SET birthday = (last_seen AT TIME ZONE 'UTC')::date WHERE pg_temp.permille(n, :salt + 8, 10);

-- Days that have no end, and listings without any day.
UPDATE generated
SET last_seen = CASE WHEN pg_temp.below(n, :salt + 9, 3) = 0 THEN '-infinity'::timestamptz
                     WHEN pg_temp.below(n, :salt + 9, 3) = 1 THEN 'infinity' END,
    first_seen = CASE WHEN pg_temp.below(n, :salt + 10, 3) = 0 THEN '-infinity'::timestamptz
                      WHEN pg_temp.below(n, :salt + 10, 3) = 1 THEN first_seen END
WHERE pg_temp.permille(n, :salt + 11, least(3 * :dirt, 500));

INSERT INTO generated_lids SELECT lid FROM generated;
ANALYZE generated;
