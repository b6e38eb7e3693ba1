// C++ regime: reading definitions.
#include "catalog/definitions.hpp"

namespace etl::catalog {

namespace {

constexpr const char *portal_columns = "SELECT portal, owner::oid, listing::oid, customer::oid, stat::oid, prices::oid,"
                                       " price_state::oid, state, folded_at FROM etl.portal";

portal read_portal(const pg::result &rows, std::size_t row) {
    return {rows.text(row, 0), rows.oid(row, 1), rows.oid(row, 2),  rows.oid(row, 3),          rows.oid(row, 4),
            rows.oid(row, 5),  rows.oid(row, 6), rows.text(row, 7), rows.optional_text(row, 8)};
}

} // namespace

std::optional<portal> find_portal(std::string_view name) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(pg::kept(pg::format("%s WHERE portal = $1", portal_columns)), {pg::text(name)});
    if (rows.empty())
        return std::nullopt;
    return read_portal(rows, 0);
}

portal get_portal(std::string_view name) {
    std::optional<portal> found = find_portal(name);
    if (!found)
        throw error("42704", pg::view(pg::format("portal %s does not exist", pg::quote_literal(name).c_str())), {},
                    "Add it with etl_add_portal.");
    return *std::move(found);
}

pg::vector<portal> all_portals() {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(pg::format("%s ORDER BY portal COLLATE \"C\"", portal_columns));
    pg::vector<portal> portals;
    for (std::size_t row = 0; row < rows.size(); row++)
        portals.push_back(read_portal(rows, row));
    return portals;
}

std::optional<make> find_make(std::string_view name) {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query(pg::kept("SELECT make, owner::oid, mapping::oid, mart::oid, country, template, portals IS NULL,"
                           " settings::text, terminal FROM etl.make WHERE make = $1"),
                  {pg::text(name)});
    if (rows.empty())
        return std::nullopt;
    make found{rows.text(0, 0), rows.oid(0, 1), rows.oid(0, 2),  rows.oid(0, 3),          rows.optional_text(0, 4),
               rows.text(0, 5), std::nullopt,   rows.text(0, 7), rows.optional_text(0, 8)};
    if (!rows.boolean(0, 6)) {
        const pg::result names =
            pg::query("SELECT pg_catalog.unnest(portals) FROM etl.make WHERE make = $1", {pg::text(name)});
        found.portals.emplace();
        for (std::size_t row = 0; row < names.size(); row++)
            found.portals->push_back(names.text(row, 0));
    }
    return found;
}

make get_make(std::string_view name) {
    std::optional<make> found = find_make(name);
    if (!found)
        throw error("42704", pg::view(pg::format("make %s does not exist", pg::quote_literal(name).c_str())), {},
                    "Add it with etl_add_make.");
    return *std::move(found);
}

pg::vector<source> sources_of(const make &of) {
    pg::vector<source> sources;
    {
        pg::catalog_scope as_catalog;
        const pg::result rows =
            pg::query("SELECT p.portal, s.view::oid, c.oid IS NULL FROM etl.make m JOIN etl.portal p"
                      " ON m.portals IS NULL OR p.portal = ANY (m.portals)"
                      " LEFT JOIN etl.source s ON s.make = m.make AND s.portal = p.portal"
                      " LEFT JOIN pg_class c ON c.oid = s.view"
                      " WHERE m.make = $1 ORDER BY p.portal COLLATE \"C\"",
                      {pg::text(pg::view(of.name))});
        for (std::size_t row = 0; row < rows.size(); row++) {
            if (rows.boolean(row, 2))
                throw error("55000",
                            pg::view(pg::format("make \"%s\" has no source view for portal \"%s\"", of.name.c_str(),
                                                rows.text(row, 0).c_str())),
                            rows.is_null(row, 1) ? "It could not be made when the portal was added."
                                                 : "It was dropped, as DROP TABLE ... CASCADE of a source does.",
                            pg::view(pg::format("Run SELECT etl_refresh_make(%s).",
                                                pg::quote_literal(pg::view(of.name)).c_str())));
            sources.push_back({rows.text(row, 0), rows.oid(row, 1)});
        }
    }
    if (sources.empty())
        throw error("55000", pg::view(pg::format("make \"%s\" has no portal", of.name.c_str())), {},
                    "Add portals with etl_add_portal.");
    return sources;
}

void require_owner(Oid owner, std::string_view what) {
    if (!pg::may_act_as(owner))
        throw error("42501",
                    pg::view(pg::format("must be a member of role \"%s\" to use %.*s", pg::role_name(owner).c_str(),
                                        static_cast<int>(what.size()), what.data())),
                    pg::view(pg::format("The current user is \"%s\".", pg::role_name(pg::current_role()).c_str())),
                    "The owner, its members and superusers may.");
}

pg::string current_settings() {
    return pg::query("SELECT pg_catalog.jsonb_object_agg(name, setting)::text FROM pg_catalog.pg_settings"
                     " WHERE pg_catalog.lower(name) OPERATOR(pg_catalog.=) ANY (ARRAY['timezone', 'datestyle',"
                     " 'intervalstyle', 'extra_float_digits', 'bytea_output', 'lc_monetary', 'lc_numeric', 'lc_time',"
                     " 'default_text_search_config'])")
        .text(0, 0);
}

void apply_settings(pg::settings_scope &scope, std::string_view settings) {
    const pg::result rows = pg::query(
        pg::kept("SELECT key, value FROM pg_catalog.jsonb_each_text($1::pg_catalog.jsonb)"), {pg::text(settings)});
    for (std::size_t row = 0; row < rows.size(); row++)
        scope.set(rows.text(row, 0).c_str(), rows.text(row, 1).c_str());
}

} // namespace etl::catalog
