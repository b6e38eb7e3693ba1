// C++ regime: the view that shows the price states of all portals of a schema.
#include "catalog/price_state.hpp"

#include "catalog/name.hpp"
#include "catalog/relation.hpp"
#include "pg/message.hpp"
#include "pg/transaction.hpp"

namespace etl::catalog {

namespace {

// Tells our view from any other relation of that name. A forged one gains nothing: the view is only ever re-made in its
// own owner's name.
constexpr const char *mark = "Price states of all portals of this schema; kept by pg_etl";

struct present_view {
    Oid owner;
    bool ours;
    bool granted;
};

std::optional<present_view> look(const pg::string &schema) {
    const pg::result rows =
        pg::query("SELECT c.relowner, c.relkind OPERATOR(pg_catalog.=) 'v' AND "
                  "coalesce(pg_catalog.obj_description(c.oid, 'pg_class')"
                  " OPERATOR(pg_catalog.=) $2, false), c.relacl IS NOT NULL FROM pg_catalog.pg_class c"
                  " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                  " WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) "
                  "'price_state'",
                  {pg::text(pg::view(schema)), pg::text(mark)});
    if (rows.empty())
        return std::nullopt;
    return present_view{rows.oid(0, 0), rows.boolean(0, 1), rows.boolean(0, 2)};
}

pg::string query_over(const pg::string &schema) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        "SELECT p.portal, p.price_state::oid FROM etl.portal p JOIN pg_catalog.pg_class c ON c.oid = p.price_state"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::name"
        " ORDER BY p.portal COLLATE \"C\"",
        {pg::text(pg::view(schema))});
    pg::string query;
    for (std::size_t row = 0; row < rows.size(); row++)
        query.append(pg::format(
            "%sSELECT %s::pg_catalog.text AS portal, lid, first_price::pg_catalog.numeric AS first_price, first_dt,"
            " last_price::pg_catalog.numeric AS last_price, last_dt, price_min::pg_catalog.numeric AS price_min,"
            " price_max::pg_catalog.numeric AS price_max, modified FROM %s",
            query.empty() ? "" : " UNION ALL ", pg::quote_literal(pg::view(rows.text(row, 0))).c_str(),
            pg::relation_name(rows.oid(row, 1)).c_str()));
    return query;
}

void create(const pg::string &view, const pg::string &query, bool replace) {
    execute_with_hints(pg::format("CREATE%s VIEW %s WITH (security_invoker = true) AS %s", replace ? " OR REPLACE" : "",
                                  view.c_str(), query.c_str()));
    pg::execute(pg::format("COMMENT ON VIEW %s IS %s", view.c_str(), pg::quote_literal(mark).c_str()));
}

// Days of another type than before change the view's columns, which CREATE OR REPLACE VIEW cannot.
void replace(const pg::string &view, const pg::string &query, bool granted) {
    const std::optional<pg::error_report> failure = pg::in_subtransaction([&] { create(view, query, true); });
    if (!failure)
        return;
    if (strcmp(failure->sqlstate, "42P16") != 0)
        throw error(failure->sqlstate, pg::view(failure->message), pg::view(failure->detail),
                    "The view shows all portals of its schema and is re-made as its owner, who needs CREATE there.");
    pg::execute(pg::format("DROP VIEW %s", view.c_str()));
    create(view, query, false);
    if (granted)
        pg::warning(pg::view(pg::format("view %s has other column types now", view.c_str())),
                    "It was made anew; grant the rights on it again.");
}

} // namespace

void remake_price_state_view(const pg::string &schema, std::optional<Oid> adder) {
    const pg::string view = pg::format("%s.price_state", pg::quote_identifier(pg::view(schema)).c_str());
    const pg::string query = query_over(schema);
    const std::optional<present_view> present = look(schema);
    if (present && !present->ours) {
        if (!query.empty())
            pg::warning(pg::view(pg::format("relation %s is left alone", view.c_str())),
                        "It is not the view of all price states of its schema, which would have that name.");
        return;
    }
    if (!present && (query.empty() || !adder))
        return;
    pg::owner_scope as_owner(present ? present->owner : *adder);
    if (present && query.empty())
        pg::execute(pg::format("DROP VIEW %s", view.c_str()));
    else if (present)
        replace(view, query, present->granted);
    else
        create(view, query, false);
}

} // namespace etl::catalog
