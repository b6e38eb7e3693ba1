-- Chance without random(): every decision is a hash of what it is about, a row number n, and of a salt that stands for
-- seed, portal and column. These are small SQL functions so that the planner inlines them.

-- an integer from 0 to below - 1
CREATE FUNCTION pg_temp.below(n bigint, salt bigint, below integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(n, salt) & 2147483647) % below)::integer $$;

-- a fraction from 0 to 1
CREATE FUNCTION pg_temp.fraction(n bigint, salt bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, salt) & 2147483647) / 2147483648.0::double precision $$;

-- true so many times in a thousand
CREATE FUNCTION pg_temp.permille(n bigint, salt bigint, times integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, salt) & 2147483647) % 1000 < times $$;

-- one of a list
CREATE FUNCTION pg_temp.pick(n bigint, salt bigint, list text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT list[1 + ((hashint8extended(n, salt) & 2147483647) % cardinality(list))::integer] $$;

-- Characters that do not compress: a chain of digests, some 32 a link.
CREATE FUNCTION pg_temp.noise(n bigint, salt bigint, links integer) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT string_agg(md5(concat_ws('/', n, salt, link)), '' ORDER BY link) FROM generate_series(1, links) AS link $$;
