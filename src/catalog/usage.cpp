// C++ regime: who uses what.
#include "catalog/usage.hpp"

namespace etl::catalog {

namespace {

// A row of another cluster or database, which a copy brings along, is dead and blocks nothing.
constexpr const char *unfinished =
    "SELECT r.run_id, r.kind, r.state FROM etl.run r WHERE r.state IN ('queued', 'running', 'paused', 'loaded')"
    " AND r.system_identifier = (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s)"
    " AND r.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())"
    " AND %s ORDER BY r.run_id LIMIT 1";

void require_idle(const char *what, const pg::string &name, const char *condition) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(pg::format(unfinished, condition), {pg::text(pg::view(name))});
    if (rows.empty())
        return;
    throw error("55006", pg::view(pg::format("%s \"%s\" is being worked on", what, name.c_str())),
                pg::view(pg::format("Run %s, a %s, is %s.", rows.text(0, 0).c_str(), rows.text(0, 1).c_str(),
                                    rows.text(0, 2).c_str())),
                pg::view(pg::format("%s(%s), or end it with SELECT etl_cancel(%s).",
                                    rows.text(0, 2) == "loaded" ? "Publish it with SELECT etl_publish"
                                                                : "Wait for it with CALL etl_wait",
                                    rows.text(0, 0).c_str(), rows.text(0, 0).c_str())));
}

pg::vector<pg::string> names_of(const char *statement, std::initializer_list<pg::value> parameters) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(statement, parameters);
    pg::vector<pg::string> names;
    for (std::size_t row = 0; row < rows.size(); row++)
        names.push_back(rows.text(row, 0));
    return names;
}

} // namespace

void lock_definitions() {
    pg::catalog_scope as_catalog;
    // Conflicts with itself only: runs read and mark their portals meanwhile.
    pg::execute("LOCK TABLE etl.make IN SHARE UPDATE EXCLUSIVE MODE");
}

void require_idle_make(const pg::string &make) {
    require_idle("make", make, "r.make = $1");
}

void require_idle_portal(const pg::string &portal) {
    require_idle(
        "portal", portal,
        "(r.portal = $1 OR EXISTS (SELECT FROM etl.run_portal p WHERE p.run_id = r.run_id AND p.portal = $1))");
}

pg::string list_of_names(const pg::vector<pg::string> &names) {
    pg::string list;
    for (const pg::string &name : names)
        list.append(list.empty() ? "\"" : ", \"").append(name.data(), name.size()).append("\"");
    return list;
}

pg::vector<pg::string> makes_naming_portal(const pg::string &portal) {
    return names_of("SELECT make FROM etl.make WHERE $1 = ANY (portals) ORDER BY make COLLATE \"C\"",
                    {pg::text(pg::view(portal))});
}

pg::vector<pg::string> makes_using_template(const pg::string &name) {
    return names_of("SELECT make FROM etl.make WHERE template = $1 ORDER BY make COLLATE \"C\"",
                    {pg::text(pg::view(name))});
}

pg::vector<pg::string> makes_of_all_portals() {
    return names_of("SELECT make FROM etl.make WHERE portals IS NULL ORDER BY make COLLATE \"C\"", {});
}

} // namespace etl::catalog
