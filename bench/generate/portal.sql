-- Fills the four tables of one portal, then calls itself for the next one: psql has no loop.
SELECT portal_name AS portal, :seed * 1000000 + place * 1000 AS salt
FROM unnest(string_to_array(:'portals', ',')) WITH ORDINALITY AS listed (portal_name, place)
WHERE place = :portal_number + 1 \gset
\ir lids.sql
\ir customers.sql
\ir listings.sql
\ir stats.sql
\ir prices.sql
SELECT :portal_number + 1 AS portal_number, :portal_number + 1 < :portal_count AS more_portals \gset
\if :more_portals
\ir portal.sql
\endif
