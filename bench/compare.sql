-- Compares two marts row by row, as text:   psql -v left=legacy.ads_x -v right=raw.ads_x -f bench/compare.sql
-- Prints rows left|rows right|rows only left|rows only right and, where they differ, some of the differences; leaves
-- the four figures behind as psql variables left_rows, right_rows, only_left and only_right.
\set ON_ERROR_STOP on
SET work_mem = '256MB';
SELECT (SELECT count(*) FROM :left) AS left_rows,
       (SELECT count(*) FROM :right) AS right_rows,
       (SELECT count(*) FROM (SELECT ROW(l.*)::text FROM :left AS l
                              EXCEPT ALL
                              SELECT ROW(r.*)::text FROM :right AS r) AS d) AS only_left,
       (SELECT count(*) FROM (SELECT ROW(r.*)::text FROM :right AS r
                              EXCEPT ALL
                              SELECT ROW(l.*)::text FROM :left AS l) AS d) AS only_right
\gset
RESET work_mem;
SELECT :only_left + :only_right > 0 AS marts_differ \gset
\echo :left_rows|:right_rows|:only_left|:only_right
\if :marts_differ
SELECT lid, column_name, left(l.value, 60) AS in_left, left(r.value, 60) AS in_right
FROM (SELECT lid, key AS column_name, value FROM :left AS t, jsonb_each_text(to_jsonb(t))) AS l
FULL JOIN (SELECT lid, key AS column_name, value FROM :right AS t, jsonb_each_text(to_jsonb(t))) AS r
    USING (lid, column_name)
WHERE l.value IS DISTINCT FROM r.value
ORDER BY lid, column_name
LIMIT 20;
\endif
