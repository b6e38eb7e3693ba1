-- The mapping of one make: which listing, of whichever portal, is which model. Written by the mapping team.
CREATE TABLE mapping.lot_@make@ (
    lid bigint PRIMARY KEY, make text NOT NULL,
    model text, variant text, generation text, article_type text, country text, currency text,
    body text, fuel text, gearbox text, trim text,
    quality smallint, model_id integer, variant_id integer,
    modified timestamptz NOT NULL
);
CREATE INDEX ON mapping.lot_@make@ (modified);
