// C++ regime: the relation of currency rates.
#include "catalog/rates.hpp"

#include "catalog/definitions.hpp"
#include "catalog/relation.hpp"
#include "catalog/usage.hpp"
#include "function/rates.hpp"

namespace etl::catalog {

namespace {

void require_change_allowed() {
    std::optional<Oid> owner;
    pg::string name;
    {
        pg::catalog_scope as_catalog;
        const pg::result rows = pg::query("SELECT c.relowner::oid, c.oid::regclass::text FROM pg_catalog.pg_class c"
                                          " WHERE c.oid = COALESCE((SELECT relation FROM etl.rates),"
                                          " to_regclass('raw.currency_rates'))");
        if (rows.empty())
            return;
        owner = rows.oid(0, 0);
        name = rows.text(0, 1);
    }
    if (!pg::may_act_as(*owner))
        throw error("42501", "permission denied to change the relation of currency rates",
                    pg::view(pg::format("It is %s, which belongs to role \"%s\".", name.c_str(),
                                        pg::role_name(*owner).c_str())),
                    "Ask a member of that role or a superuser.");
}

} // namespace

void set_rates(std::optional<Oid> relation) {
    lock_definitions();
    require_change_allowed();
    if (relation) {
        const Oid named = *relation;
        pg::call([=] { function::check_rates_relation(named); });
        const pg::string name = pg::relation_name(named);
        pg::owner_scope pinned(pg::current_role());
        execute_with_hints(pg::format("SELECT country, currency, valid_from, rate FROM %s WHERE false", name.c_str()));
    }
    pg::catalog_scope as_catalog;
    pg::execute("DELETE FROM etl.rates");
    if (relation)
        pg::execute("INSERT INTO etl.rates (relation) VALUES ($1)", {pg::regclass(*relation)});
}

} // namespace etl::catalog
