-- The kernels: the per-row functions of a mart. Fit for generated columns, indexes and parallel plans; the currency one
-- reads a table with the caller's rights. Executable by PUBLIC.
CREATE FUNCTION etl.clean_vin(v text) RETURNS text
    AS 'MODULE_PATHNAME', 'etl_clean_vin'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION etl.clean_vin(text) IS
    'Vehicle identification number: the ASCII letters and digits of the text, upper-cased; NULL unless these are 17 characters without I, O and Q. NULL gives NULL';

CREATE FUNCTION etl.clean_car_plate(v text) RETURNS text
    AS 'MODULE_PATHNAME', 'etl_clean_car_plate'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION etl.clean_car_plate(text) IS
    'Car plate: the ASCII letters, digits and German umlauts of the text, upper-cased; NULL unless these are 2 to 12 characters. NULL gives NULL';

CREATE FUNCTION etl.compute_usage_state(condition text, mileage integer, first_registration date,
                                        previous_owners smallint, damaged boolean, as_of date) RETURNS text
    AS 'MODULE_PATHNAME', 'etl_compute_usage_state'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION etl.compute_usage_state(text, integer, date, smallint, boolean, date) IS
    'Usage state of a car on a day: damaged, demonstration, classic, new, nearly_new or used. Any argument may be NULL (not known); NULL if condition, mileage and first_registration are all NULL and nothing else decides';

CREATE FUNCTION etl.convert_currency_by_counties(p_country text, p_currency text, p_amount numeric, p_on date)
    RETURNS numeric
    AS 'MODULE_PATHNAME', 'etl_convert_currency_by_counties'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION etl.convert_currency_by_counties(text, text, numeric, date) IS
    'Amount in the currency of the country, by the rate in force on the day, rounded to 2 decimals. Reads the relation of etl_set_rates, else raw.currency_rates, once per statement and with the rights of the caller. NULL if there is no rate; NULL gives NULL';

CREATE FUNCTION etl.jsonb_to_array(j jsonb) RETURNS text[]
    AS 'MODULE_PATHNAME', 'etl_jsonb_to_array'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION etl.jsonb_to_array(jsonb) IS
    'jsonb as text[]: the elements of an array (null as NULL), the keys of an object whose value is neither false nor null, a string as the only element. NULL for anything else; NULL gives NULL';
