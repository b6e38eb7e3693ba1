-- The functions that the legacy pipeline calls a row at a time. pg_etl's kernels promise the same answers.
-- The umlauts below are meant as UTF-8, whatever the caller's encoding; in SQL_ASCII they count byte by byte.
\set legacy_encoding :ENCODING
\encoding UTF8

-- A VIN has 17 ASCII letters or digits, upper-case, without I, O and Q; whatever else was typed is dropped first.
CREATE FUNCTION raw.clean_vin(v text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kept text;
BEGIN
    IF v IS NOT NULL THEN
        kept := upper(regexp_replace(v, '[^A-Za-z0-9]', '', 'g') COLLATE "C");
        IF length(kept) = 17 AND kept !~ '[IOQ]' THEN
            RETURN kept;
        END IF;
    END IF;
    RETURN NULL;
END
$$;

-- A number plate has 2 to 12 ASCII letters, digits or German umlauts, upper-case; the rest is dropped first.
CREATE FUNCTION raw.clean_car_plate(v text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kept text;
BEGIN
    IF v IS NOT NULL THEN
        kept := upper(regexp_replace(v, '[^A-Za-zÄÖÜäöü0-9]', '', 'g') COLLATE "C");
        kept := translate(kept, 'äöü', 'ÄÖÜ');
        IF length(kept) >= 2 AND length(kept) <= 12 THEN
            RETURN kept;
        END IF;
    END IF;
    RETURN NULL;
END
$$;

-- How used a car is on a day: the first description that fits. Any argument may be NULL.
CREATE FUNCTION raw.compute_usage_state(
    condition text, mileage integer, first_registration date, previous_owners smallint, damaged boolean, as_of date
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF damaged THEN
        RETURN 'damaged';
    ELSIF condition = 'demo' THEN
        RETURN 'demonstration';
    ELSIF as_of - interval '30 years' >= first_registration THEN
        RETURN 'classic';
    ELSIF condition = 'new' AND coalesce(mileage, 0) < 100 AND coalesce(previous_owners, 0) = 0 THEN
        RETURN 'new';
    ELSIF mileage < 15000 AND as_of - interval '1 year' < first_registration THEN
        RETURN 'nearly_new';
    ELSIF condition IS NULL AND mileage IS NULL AND first_registration IS NULL THEN
        RETURN NULL;
    ELSE
        RETURN 'used';
    END IF;
END
$$;

-- An amount in the money of the country, at the rate of that day, looked up call by call; NULL if there was none yet.
CREATE FUNCTION raw.convert_currency_by_counties(p_country text, p_currency text, p_amount numeric, p_on date)
RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    factor numeric;
BEGIN
    IF p_amount IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT c.rate INTO factor
    FROM raw.currency_rates c
    WHERE c.country = p_country AND c.currency = p_currency AND c.valid_from <= p_on
    ORDER BY c.valid_from DESC
    LIMIT 1;
    RETURN round(p_amount * factor, 2);
END
$$;

-- A list of texts: the elements of an array, the keys of an object but for those that are false or null, or one lone
-- string. Numbers, booleans and null are no list.
CREATE FUNCTION raw.jsonb_to_array(j jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
    CASE jsonb_typeof(j)
    WHEN 'string' THEN
        RETURN ARRAY[j #>> '{}'];
    WHEN 'object' THEN
        RETURN ARRAY(
            SELECT member.key
            FROM jsonb_each(j) WITH ORDINALITY AS member (key, value, place)
            WHERE member.value NOT IN (jsonb 'null', jsonb 'false')
            ORDER BY member.place);
    WHEN 'array' THEN
        RETURN ARRAY(SELECT jsonb_array_elements_text(j));
    ELSE
        RETURN NULL;
    END CASE;
END
$$;

-- analytic.first(x): x of the first row of the window frame, NULL or not.
CREATE FUNCTION analytic.first_state(seen anyarray, x anyelement) RETURNS anyarray
LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN $1 IS NOT NULL THEN $1 ELSE ARRAY[$2] END';

CREATE FUNCTION analytic.first_final(seen anyarray) RETURNS anyelement
LANGUAGE sql IMMUTABLE AS 'SELECT $1[1]';

CREATE AGGREGATE analytic.first(anyelement) (
    STYPE = anyarray,
    SFUNC = analytic.first_state,
    FINALFUNC = analytic.first_final
);

\encoding :legacy_encoding
