// C++ regime: the table that a portal's price log is folded into.
#include "catalog/price_state.hpp"

#include "catalog/relation.hpp"

namespace etl::catalog {

namespace {

struct column {
    const char *name;
    const char *of_log; // column of the log whose type it has, or nullptr
    const char *type;   // else its type
    const char *comment;
};

constexpr column columns[] = {
    {"lid", nullptr, "bigint", "Listing"},
    {"first_price", "price", nullptr, "Price of the first event"},
    {"first_dt", "dt", nullptr, "Day of the first event"},
    {"last_price", "price", nullptr, "Price of the last event"},
    {"last_dt", "dt", nullptr, "Day of the last event"},
    {"price_min", "price", nullptr, "Least price"},
    {"price_max", "price", nullptr, "Greatest price"},
    {"modified", nullptr, "timestamp with time zone", "Start of the transaction that last changed the row"},
};

// The type of a column as SQL, typmod included.
pg::string type_of(Oid relation, const char *name) {
    return pg::query("SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute"
                     " WHERE attrelid OPERATOR(pg_catalog.=) $1 AND attname OPERATOR(pg_catalog.=) $2::pg_catalog.name",
                     {pg::oid(relation), pg::text(name)})
        .text(0, 0);
}

pg::string expected_type(const column &one, Oid prices) {
    return one.of_log ? type_of(prices, one.of_log) : pg::string(one.type);
}

void create(const pg::string &table, const pg::string &portal, Oid prices) {
    pg::string list;
    for (const column &one : columns)
        list.append(pg::format("%s%s %s%s", list.empty() ? "" : ", ", one.name, expected_type(one, prices).c_str(),
                               one.of_log                     ? ""
                               : strcmp(one.name, "lid") == 0 ? " PRIMARY KEY"
                                                              : " NOT NULL DEFAULT pg_catalog.now()"));
    // Updates of a row should find room on its page: nothing but the key is indexed.
    execute_with_hints(pg::format("CREATE TABLE %s (%s) WITH (fillfactor = 70)", table.c_str(), list.c_str()));
    const pg::string comment =
        pg::format("Price state of portal %s: its price log folded to a row a listing, by pg_etl", portal.c_str());
    pg::execute(pg::format("COMMENT ON TABLE %s IS %s", table.c_str(), pg::quote_literal(pg::view(comment)).c_str()));
    for (const column &one : columns)
        pg::execute(pg::format("COMMENT ON COLUMN %s.%s IS %s", table.c_str(), one.name,
                               pg::quote_literal(one.comment).c_str()));
}

// Whoever may read the log may read what it folds to, the owners of makes among them.
void grant_readers(const pg::string &table, Oid prices) {
    const pg::result readers =
        pg::query("SELECT DISTINCT a.grantee OPERATOR(pg_catalog.=) 0, a.grantee FROM pg_catalog.pg_class c,"
                  " pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a"
                  " WHERE c.oid OPERATOR(pg_catalog.=) $1 AND a.privilege_type OPERATOR(pg_catalog.=) 'SELECT'"
                  " AND a.grantee OPERATOR(pg_catalog.<>) $2 ORDER BY a.grantee",
                  {pg::oid(prices), pg::oid(pg::current_role())});
    for (std::size_t row = 0; row < readers.size(); row++)
        pg::execute(pg::format("GRANT SELECT ON TABLE %s TO %s", table.c_str(),
                               readers.boolean(row, 0)
                                   ? "PUBLIC"
                                   : pg::quote_identifier(pg::view(pg::role_name(readers.oid(row, 1)))).c_str()));
}

// What is wrong with an existing table of the name; empty if nothing is.
pg::string fault_of(Oid table, Oid prices) {
    const pg::result kind = pg::query("SELECT relkind, relpersistence, relrowsecurity OR relhasrules OR relhassubclass"
                                      " OR relispartition FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) $1",
                                      {pg::oid(table)});
    if (kind.text(0, 0) != "r" || kind.text(0, 1) != "p")
        return "It is no permanent table.";
    if (kind.boolean(0, 2))
        return "It has row security, rules or children, or is a partition.";
    if (!pg::query("SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid OPERATOR(pg_catalog.=) $1 AND NOT tgisinternal",
                   {pg::oid(table)})
             .empty())
        return "It has triggers.";
    const pg::result present = pg::query(
        "SELECT attname::pg_catalog.text, pg_catalog.format_type(atttypid, atttypmod), attgenerated "
        "OPERATOR(pg_catalog.<>) ''"
        " FROM pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) $1 AND attnum OPERATOR(pg_catalog.>) 0"
        " AND NOT attisdropped",
        {pg::oid(table)});
    for (const column &one : columns) {
        const pg::string type = expected_type(one, prices);
        bool found = false;
        for (std::size_t row = 0; row < present.size() && !found; row++)
            found = present.text(row, 0) == one.name && present.text(row, 1) == type && !present.boolean(row, 2);
        if (!found)
            return pg::format("It has no plain column \"%s\" of type %s.", one.name, type.c_str());
    }
    if (present.size() != std::size(columns))
        return "It has further columns.";
    const pg::result keys = pg::query(
        "SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) "
        "i.indrelid"
        " AND a.attnum OPERATOR(pg_catalog.=) i.indkey[0] WHERE i.indrelid OPERATOR(pg_catalog.=) $1 AND i.indisunique"
        " AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts OPERATOR(pg_catalog.=) 1"
        " AND a.attname OPERATOR(pg_catalog.=) 'lid' AND a.attnotnull",
        {pg::oid(table)});
    return keys.empty() ? "It has no primary key (lid)." : "";
}

} // namespace

pg::string schema_of(Oid relation) {
    const pg::result rows =
        pg::query("SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                  " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE c.oid OPERATOR(pg_catalog.=) $1",
                  {pg::oid(relation)});
    return rows.empty() ? pg::string() : rows.text(0, 0);
}

price_state prepare_price_state(Oid owner, const pg::string &portal, Oid prices) {
    const pg::string schema = schema_of(prices);
    const pg::string name = pg::derived_name("price_state_", pg::view(portal));
    const pg::string table = pg::format("%s.%s", pg::quote_identifier(pg::view(schema)).c_str(),
                                        pg::quote_identifier(pg::view(name)).c_str());
    pg::owner_scope as_owner(owner);
    Oid found = find_relation(pg::view(table));
    if (!OidIsValid(found)) {
        create(table, portal, prices);
        grant_readers(table, prices);
        return {find_relation(pg::view(table)), false};
    }
    // Whoever owns it, or could have put code into it, would have that run with the rights of who folds and reads it.
    const Oid its_owner =
        pg::query("SELECT relowner FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) $1", {pg::oid(found)})
            .oid(0, 0);
    if (pg::may_act_as(owner, its_owner) && !pg::may_act_as(its_owner, owner))
        throw error("42501", pg::view(pg::format("cannot take over table %s as price state", table.c_str())),
                    pg::view(pg::format("It belongs to role \"%s\", whose code in it would run with the rights of role"
                                        " \"%s\".",
                                        pg::role_name(its_owner).c_str(), pg::role_name(owner).c_str())),
                    pg::view(pg::format("Look at it, then run ALTER TABLE %s OWNER TO %s; or drop it.", table.c_str(),
                                        pg::quote_identifier(pg::view(pg::role_name(owner))).c_str())));
    const pg::string fault = fault_of(found, prices);
    if (!fault.empty())
        throw error("42P07", pg::view(pg::format("%s is no price state for this portal", table.c_str())),
                    pg::view(fault), "Rename or drop it, or choose another name for the portal.");
    if (!pg::may_act_as(owner, its_owner))
        throw error("42501", pg::view(pg::format("must be owner of table %s", table.c_str())),
                    "It exists already, and the portal's folds would write to it.");
    return {found, true};
}

} // namespace etl::catalog
