// C++ regime: templates in the catalog.
#include "catalog/template.hpp"

#include "catalog/name.hpp"
#include "catalog/usage.hpp"
#include "template/fill.hpp"
#include "template/parse.hpp"

namespace etl::catalog {

namespace {

// Templates' names stand alone, so they may be as long as any name.
constexpr std::size_t longest_template_name = NAMEDATALEN - 1;

// Without relations: what can be told from the text alone. The rest is checked when a make fills it in.
void check_text(const pg::string &name, const pg::string &query) {
    const pg::string filled = templates::fill(pg::view(query), templates::sample_filling());
    const pg::string what = in_quotes("template", name);
    pg::owner_scope pinned(pg::current_role());
    pinned.settings().set("standard_conforming_strings", "on");
    const templates::source_text text{filled.c_str(), "template", what.c_str()};
    pg::call([&text] { (void)templates::parse_template(text); });
}

// Raises unless the template may be replaced or dropped by the current user; false if there is none of that name.
bool check_change(const pg::string &name, const char *verb) {
    std::optional<Oid> owner;
    {
        pg::catalog_scope as_catalog;
        const pg::result rows = pg::query("SELECT owner IS NULL, coalesce(owner, 0::regrole)::oid FROM etl.template"
                                          " WHERE name = $1 FOR UPDATE",
                                          {pg::text(pg::view(name))});
        if (rows.empty())
            return false;
        if (!rows.boolean(0, 0))
            owner = rows.oid(0, 1);
    }
    const pg::string quoted = in_quotes("template", name);
    if (!owner)
        throw error("42939", pg::view(pg::format("cannot %s %s", verb, quoted.c_str())), "It ships with the extension.",
                    "Set a template of another name, and name it in etl_add_make.");
    require_owner(*owner, pg::view(quoted));
    const pg::vector<pg::string> makes = makes_using_template(name);
    if (!makes.empty())
        throw error("2BP01", pg::view(pg::format("cannot %s %s because makes use it", verb, quoted.c_str())),
                    pg::view(pg::format("Makes: %s.", list_of_names(makes).c_str())),
                    "Set a template of another name, or drop the makes first with etl_drop_make.");
    return true;
}

} // namespace

pg::string template_query(const pg::string &name) {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query("SELECT query FROM etl.template WHERE name = $1 FOR KEY SHARE", {pg::text(pg::view(name))});
    if (rows.empty())
        throw error("42704", pg::view(pg::format("%s does not exist", in_quotes("template", name).c_str())), {},
                    "Set it with etl_set_template; \"ads\" ships with the extension.");
    return rows.text(0, 0);
}

void set_template(const pg::string &name, const pg::string &query) {
    check_name("template", name, longest_template_name);
    lock_definitions();
    const bool present = check_change(name, "replace");
    check_text(name, query);
    const Oid owner = pg::current_role();
    pg::catalog_scope as_catalog;
    if (present)
        pg::execute("UPDATE etl.template SET query = $2 WHERE name = $1",
                    {pg::text(pg::view(name)), pg::text(pg::view(query))});
    else
        pg::execute("INSERT INTO etl.template (name, owner, query) VALUES ($1, $2, $3)",
                    {pg::text(pg::view(name)), pg::regrole(owner), pg::text(pg::view(query))});
}

void drop_template(const pg::string &name) {
    lock_definitions();
    if (!check_change(name, "drop"))
        throw error("42704", pg::view(pg::format("%s does not exist", in_quotes("template", name).c_str())));
    pg::catalog_scope as_catalog;
    pg::execute("DELETE FROM etl.template WHERE name = $1", {pg::text(pg::view(name))});
}

} // namespace etl::catalog
