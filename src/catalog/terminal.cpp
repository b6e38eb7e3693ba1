// C++ regime: the condition of terminal rows.
#include "catalog/terminal.hpp"

#include "template/analyse.hpp"

namespace etl::catalog {

void check_terminal(const make &of, const pg::string &terminal) {
    const pg::string condition = pg::format("SELECT (\n%s\n)", terminal.c_str());
    const pg::string statement =
        pg::format("SELECT 1 FROM %s WHERE (\n%s\n)", pg::relation_name(of.mart, "mart").c_str(), terminal.c_str());
    const pg::string what = pg::format("terminal of make \"%s\"", of.name.c_str());
    const templates::source_text first{condition.c_str(), "terminal", what.c_str()};
    const templates::source_text second{statement.c_str(), "terminal", what.c_str()};
    const Oid mart = of.mart;
    pg::owner_scope as_owner(of.owner);
    apply_settings(as_owner.settings(), pg::view(of.settings));
    as_owner.settings().set("standard_conforming_strings", "on");
    pg::call([&first, &second, mart] { templates::check_condition(first, second, mart); });
}

std::optional<pg::string> is_terminal(const make &of, std::string_view portal, const char *lid) {
    if (!of.terminal)
        return std::nullopt;
    // Of the mart, not of its partition, so that names mean what they meant when the condition was checked. A subquery in
    // FROM keeps them from what the query around it has.
    return pg::format("COALESCE((SELECT pg_catalog.bool_and(t.terminal) FROM (SELECT lid, (\n%s\n) IS TRUE AS terminal"
                      " FROM %s WHERE portal = %s) t WHERE t.lid = %s), false)",
                      of.terminal->c_str(), pg::relation_name(of.mart, "mart").c_str(),
                      pg::quote_literal(portal).c_str(), lid);
}

} // namespace etl::catalog
