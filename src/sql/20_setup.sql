-- Set-up: portals, makes, templates and rates. Whoever calls these functions owns what is added.
CREATE FUNCTION @extschema@.etl_add_portal(portal text, listing regclass, customer regclass, stat regclass,
                                           prices regclass)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_add_portal';
REVOKE ALL ON FUNCTION @extschema@.etl_add_portal(text, regclass, regclass, regclass, regclass) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_add_portal(text, regclass, regclass, regclass, regclass) IS
    'Adds a portal by its four source relations and makes its price state in the schema of the price log';

CREATE FUNCTION @extschema@.etl_drop_portal(portal text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_drop_portal';
REVOKE ALL ON FUNCTION @extschema@.etl_drop_portal(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_drop_portal(text) IS
    'Forgets a portal and drops its source views; its price state and what marts hold of it stay';

CREATE FUNCTION @extschema@.etl_add_make(make text, mapping regclass, mart text DEFAULT NULL, country text DEFAULT NULL,
                             template text DEFAULT 'ads', portals text[] DEFAULT NULL, terminal text DEFAULT NULL)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_add_make';
REVOKE ALL ON FUNCTION @extschema@.etl_add_make(text, regclass, text, text, text, text[], text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_add_make(text, regclass, text, text, text, text[], text) IS
    'Adds a make by its mapping relation and makes its source views, and its mart (raw.ads_<make>) where there is none';

CREATE FUNCTION @extschema@.etl_drop_make(make text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_drop_make';
REVOKE ALL ON FUNCTION @extschema@.etl_drop_make(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_drop_make(text) IS 'Forgets a make, and drops its source views and the staging tables of its unpublished runs; its mart stays';

CREATE FUNCTION @extschema@.etl_refresh_make(make text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_refresh_make';
REVOKE ALL ON FUNCTION @extschema@.etl_refresh_make(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_refresh_make(text) IS
    'Makes the source views of a make anew from the relations that now have the names of its sources';

CREATE FUNCTION @extschema@.etl_set_template(name text, query text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_set_template';
REVOKE ALL ON FUNCTION @extschema@.etl_set_template(text, text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_set_template(text, text) IS
    'Sets a template: a SELECT with {listing} {customer} {stat} {mapping} {price_state} and {make} {portal} {country}';

CREATE FUNCTION @extschema@.etl_drop_template(name text)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_drop_template';
REVOKE ALL ON FUNCTION @extschema@.etl_drop_template(text) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_drop_template(text) IS 'Drops a template that no make uses';

CREATE FUNCTION @extschema@.etl_set_rates(rates regclass)
RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'etl_set_rates';
REVOKE ALL ON FUNCTION @extschema@.etl_set_rates(regclass) FROM PUBLIC;
COMMENT ON FUNCTION @extschema@.etl_set_rates(regclass) IS
    'Names the relation of currency rates (country, currency, valid_from, rate); NULL for raw.currency_rates';

-- Gives restored source views the dependency by which DROP EXTENSION takes them along; dumps carry them without it.
CREATE FUNCTION etl.adopt_view() RETURNS event_trigger LANGUAGE c AS 'MODULE_PATHNAME', 'etl_adopt_view';
REVOKE ALL ON FUNCTION etl.adopt_view() FROM PUBLIC;
COMMENT ON FUNCTION etl.adopt_view() IS 'Event trigger: makes DROP EXTENSION take views made in schema etl along';
CREATE EVENT TRIGGER pg_etl_adopt_view ON ddl_command_end WHEN TAG IN ('CREATE VIEW')
    EXECUTE FUNCTION etl.adopt_view();
COMMENT ON EVENT TRIGGER pg_etl_adopt_view IS 'Makes DROP EXTENSION take restored source views along';
