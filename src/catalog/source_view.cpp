// C++ regime: source views.
#include "catalog/source_view.hpp"

#include "catalog/relation.hpp"
#include "catalog/trust.hpp"
#include "pg/dependency.hpp"
#include "pg/view.hpp"
#include "template/analyse.hpp"
#include "template/fill.hpp"

namespace etl::catalog {

namespace {

pg::string source_name(const char *what, Oid relation, const portal &from) {
    if (!relation_exists(relation))
        throw error("42P01", pg::view(pg::format("%s of portal \"%s\" does not exist", what, from.name.c_str())),
                    "It was dropped after the portal had been added.",
                    "Build it anew under its name and call etl_refresh_make for a make that has the portal, or drop the"
                    " portal and add it anew: its price state stays.");
    return pg::relation_name(relation);
}

templates::filling filling_of(const make &of, const portal &from) {
    return {source_name("listing relation", from.listing, from),
            source_name("customer relation", from.customer, from),
            source_name("stat relation", from.stat, from),
            pg::relation_name(of.mapping, "mapping relation"),
            source_name("price state", from.price_state, from),
            templates::text_literal(of.name),
            templates::text_literal(from.name),
            templates::text_literal(of.country)};
}

// <make>_<portal>; two pairs may come to the same name, and tables of the catalog have names, too.
pg::string free_name(const make &of, const portal &from) {
    pg::string suffix("_");
    suffix.append(from.name.data(), from.name.size());
    for (int number = 1;; number++) {
        const pg::string tail = number == 1 ? suffix : pg::format("%s_%d", suffix.c_str(), number);
        const pg::string name = pg::derived_name(pg::view(of.name), pg::view(tail));
        const pg::result taken = pg::query(
            "SELECT 1 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) "
            "t.typnamespace"
            " WHERE n.nspname OPERATOR(pg_catalog.=) 'etl' AND t.typname OPERATOR(pg_catalog.=) $1::pg_catalog.name"
            " AND t.typelem OPERATOR(pg_catalog.=) 0 UNION ALL SELECT 1 FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            " WHERE n.nspname OPERATOR(pg_catalog.=) 'etl' AND c.relname OPERATOR(pg_catalog.=) $1::pg_catalog.name",
            {pg::text(pg::view(name))});
        if (taken.empty())
            return name;
    }
}

// The settings on which the meaning of the template's text and literals depends.
void pin(pg::owner_scope &as_owner, const make &of) {
    apply_settings(as_owner.settings(), pg::view(of.settings));
    as_owner.settings().set("standard_conforming_strings", "on");
    as_owner.settings().set("transform_null_equals", "off");
}

// Parse analysis runs code of the owner: input functions of literals, and so checks of domains in arrays and composite
// types. Hence it happens in the owner's name, once, and not again in a CREATE VIEW of the extension's owner, who alone
// may create in schema etl: that one makes an empty view of the right columns, which then gets the analysed query.
Oid create_empty(const pg::string &name, const pg::string &columns, const make &of, const portal &from) {
    const pg::string owner = pg::quote_identifier(pg::view(pg::role_name(of.owner)));
    const pg::string comment =
        pg::format("Source view of make %s and portal %s: rows of the mart as the sources give them now",
                   of.name.c_str(), from.name.c_str());
    pg::catalog_scope as_catalog;
    pg::execute(pg::format("CREATE VIEW %s WITH (security_invoker = true) AS %s", name.c_str(), columns.c_str()));
    pg::execute(pg::format("COMMENT ON VIEW %s IS %s", name.c_str(), pg::quote_literal(pg::view(comment)).c_str()));
    pg::execute(pg::format("ALTER VIEW %s OWNER TO %s", name.c_str(), owner.c_str()));
    return find_relation(pg::view(name));
}

} // namespace

Oid make_source_view(const make &of, const portal &from, const pg::string &query) {
    require_trust(of, from);
    const pg::string filled = templates::fill(pg::view(query), filling_of(of, from));
    const pg::string what = pg::format("template \"%s\" for make \"%s\" and portal \"%s\"", of.template_name.c_str(),
                                       of.name.c_str(), from.name.c_str());
    const Oid relations[] = {from.listing, from.customer, from.stat, of.mapping, from.price_state};
    const templates::source_text text{filled.c_str(), "template", what.c_str()};
    const templates::relation_list allowed{relations, static_cast<int>(std::size(relations))};
    Query *analysed;
    pg::string columns;
    {
        pg::owner_scope as_owner(of.owner);
        pin(as_owner, of);
        analysed = pg::call([&] { return templates::analyse_template(text, allowed); });
        columns = pg::call([&] { return templates::columns_only(analysed); });
    }
    const pg::string name = pg::format("etl.%s", pg::quote_identifier(pg::view(free_name(of, from))).c_str());
    const Oid view = create_empty(name, columns, of, from);
    pg::drop_with_extension(view);
    pg::owner_scope as_owner(of.owner);
    pin(as_owner, of);
    pg::set_view_query(view, analysed);
    execute_with_hints(pg::format("SELECT * FROM %s WHERE false", name.c_str()));
    return view;
}

void record_source_view(const pg::string &make, const pg::string &portal, Oid view) {
    pg::catalog_scope as_catalog;
    pg::execute("INSERT INTO etl.source (make, portal, view) VALUES ($1, $2, $3)",
                {pg::text(pg::view(make)), pg::text(pg::view(portal)), pg::regclass(view)});
}

void drop_source_view(Oid view) {
    pg::catalog_scope as_catalog;
    pg::execute("DELETE FROM etl.source WHERE view = $1", {pg::regclass(view)});
    // By now the OID might be that of some other relation.
    const pg::result present =
        pg::query("SELECT 1 FROM pg_class WHERE oid = $1 AND relkind = 'v' AND relnamespace = 'etl'::regnamespace",
                  {pg::oid(view)});
    if (!present.empty())
        pg::execute(pg::format("DROP VIEW %s", pg::relation_name(view).c_str()));
}

static pg::vector<recorded_view> recorded(const char *condition, const pg::string &name) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(pg::format("SELECT make, portal, view::oid FROM etl.source WHERE %s = $1"
                                                 " ORDER BY make COLLATE \"C\", portal COLLATE \"C\"",
                                                 condition),
                                      {pg::text(pg::view(name))});
    pg::vector<recorded_view> views;
    for (std::size_t row = 0; row < rows.size(); row++)
        views.push_back({rows.text(row, 0), rows.text(row, 1), rows.oid(row, 2)});
    return views;
}

pg::vector<recorded_view> source_views_of_make(const pg::string &make) {
    return recorded("make", make);
}

pg::vector<recorded_view> source_views_of_portal(const pg::string &portal) {
    return recorded("portal", portal);
}

} // namespace etl::catalog
