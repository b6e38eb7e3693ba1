-- What the DBA defined: portals, templates, makes, rates. Dumped with the extension; changed through the API only.
-- Definitions refer to each other without foreign keys: several jobs of pg_restore load an extension's tables in any order.
-- They change under one lock (catalog/usage) and by the API alone.
CREATE TABLE etl.rates (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    relation regclass NOT NULL
);
COMMENT ON TABLE etl.rates IS 'The relation of currency rates (country, currency, valid_from, rate), where etl_set_rates named one';
COMMENT ON COLUMN etl.rates.only_one IS 'Always true: the table holds one row at most';
COMMENT ON COLUMN etl.rates.relation IS 'The relation of currency rates';

CREATE TABLE etl.portal (
    portal         text PRIMARY KEY,
    owner          regrole NOT NULL,
    listing        regclass NOT NULL,
    customer       regclass NOT NULL,
    stat           regclass NOT NULL,
    prices         regclass NOT NULL,
    price_state    regclass NOT NULL,
    state          text NOT NULL DEFAULT 'unfolded' CHECK (state IN ('unfolded', 'current', 'as_of', 'stale')),
    state_since    timestamptz NOT NULL DEFAULT now(),
    state_cause    text,
    folded_at      timestamptz,
    listing_name   text NOT NULL,
    customer_name  text NOT NULL,
    stat_name      text NOT NULL,
    prices_name    text NOT NULL
);
COMMENT ON TABLE etl.portal IS 'Portals: the four source relations of each and the state of its price state';
COMMENT ON COLUMN etl.portal.portal IS 'Name of the portal';
COMMENT ON COLUMN etl.portal.owner IS 'Role that added the portal; folds run as this role';
COMMENT ON COLUMN etl.portal.listing IS 'Relation of listings (lid, acc_id, ...)';
COMMENT ON COLUMN etl.portal.customer IS 'Relation of sellers (acc_id, ...)';
COMMENT ON COLUMN etl.portal.stat IS 'Relation of counters (lid, ...)';
COMMENT ON COLUMN etl.portal.prices IS 'Log of price events (lid, price, dt)';
COMMENT ON COLUMN etl.portal.price_state IS 'Table that the price log is folded into, a row a listing';
COMMENT ON COLUMN etl.portal.state IS 'unfolded, current (folded and watched), as_of (folded, not watched), stale (a known gap)';
COMMENT ON COLUMN etl.portal.state_since IS 'When the price state came into that state';
COMMENT ON COLUMN etl.portal.state_cause IS 'Why the price state is stale';
COMMENT ON COLUMN etl.portal.folded_at IS 'Start of the last complete fold: an as_of price state is true as of then';
COMMENT ON COLUMN etl.portal.listing_name IS 'Name of the listings, by which etl_refresh_make finds them when rebuilt';
COMMENT ON COLUMN etl.portal.customer_name IS 'Name of the sellers, likewise';
COMMENT ON COLUMN etl.portal.stat_name IS 'Name of the counters, likewise';
COMMENT ON COLUMN etl.portal.prices_name IS 'Name of the price log, likewise';

CREATE TABLE etl.template (
    name  text PRIMARY KEY,
    owner regrole,
    query text NOT NULL
);
COMMENT ON TABLE etl.template IS 'Templates: the SELECT that makes mart rows from the sources of one make and portal';
COMMENT ON COLUMN etl.template.name IS 'Name of the template; "ads" ships with the extension';
COMMENT ON COLUMN etl.template.owner IS 'Role that set the template; NULL for those that ship';
COMMENT ON COLUMN etl.template.query IS 'SELECT with placeholders {listing} {customer} {stat} {mapping} {price_state} {make} {portal} {country}';

CREATE TABLE etl.make (
    make     text PRIMARY KEY,
    owner    regrole NOT NULL,
    mapping  regclass NOT NULL,
    mart     regclass NOT NULL UNIQUE,
    country  text,
    template text NOT NULL,
    portals  text[],
    terminal text,
    settings jsonb NOT NULL,
    mapping_name text NOT NULL
);
COMMENT ON TABLE etl.make IS 'Makes: one mapping relation and one mart each';
COMMENT ON COLUMN etl.make.make IS 'Name of the make';
COMMENT ON COLUMN etl.make.owner IS 'Role that added the make; its runs work as this role';
COMMENT ON COLUMN etl.make.mapping IS 'Relation of what the mapping team knows of the brand (lid, ...)';
COMMENT ON COLUMN etl.make.mart IS 'The mart, a table partitioned by portal';
COMMENT ON COLUMN etl.make.country IS 'Country to filter by; NULL for all';
COMMENT ON COLUMN etl.make.template IS 'Template that makes the mart''s rows';
COMMENT ON COLUMN etl.make.portals IS 'Portals of the make; NULL for all that exist when a run starts';
COMMENT ON COLUMN etl.make.terminal IS 'Condition over the mart''s columns: rows for which it holds are frozen';
COMMENT ON COLUMN etl.make.settings IS 'Settings on which a result can depend, as they were when the make was added';
COMMENT ON COLUMN etl.make.mapping_name IS 'Name of the mapping, by which etl_refresh_make finds it when rebuilt';

CREATE TABLE etl.source (
    make   text NOT NULL,
    portal text NOT NULL,
    view   regclass NOT NULL UNIQUE,
    PRIMARY KEY (make, portal)
);
CREATE INDEX source_portal ON etl.source (portal);
COMMENT ON TABLE etl.source IS 'Source views: the template of a make filled in for one portal';
COMMENT ON COLUMN etl.source.make IS 'Make whose mart the view fills';
COMMENT ON COLUMN etl.source.portal IS 'Portal whose relations the view reads';
COMMENT ON COLUMN etl.source.view IS 'View in schema etl, owned by the make''s owner, with security_invoker';

SELECT pg_extension_config_dump('etl.rates', '');
SELECT pg_extension_config_dump('etl.portal', '');
SELECT pg_extension_config_dump('etl.template', 'WHERE owner IS NOT NULL');
SELECT pg_extension_config_dump('etl.make', '');
SELECT pg_extension_config_dump('etl.source', '');
