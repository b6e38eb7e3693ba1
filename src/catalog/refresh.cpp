// C++ regime: making the views of a make anew, by the names of their relations.
#include "catalog/make.hpp"

#include "capture/sources.hpp"
#include "catalog/name.hpp"
#include "catalog/portal.hpp"
#include "catalog/price_state.hpp"
#include "catalog/relation.hpp"
#include "catalog/source_view.hpp"
#include "catalog/template.hpp"
#include "catalog/terminal.hpp"
#include "catalog/usage.hpp"
#include "mart/mart.hpp"
#include "pg/message.hpp"
#include "sync/standing.hpp"
#include "watch/watch.hpp"

namespace etl::catalog {

namespace {

// The relation that has the name now; where none has, the known one, which was renamed then.
Oid resolve(const char *what, const pg::string &name, Oid known, Oid owner) {
    pg::owner_scope as_owner(owner);
    if (const Oid found = find_relation(pg::view(name)); OidIsValid(found))
        return found;
    if (relation_exists(known))
        return known;
    throw error("42P01", pg::view(pg::format("%s relation %s does not exist", what, name.c_str())), {},
                "Build it anew under that name, or drop the portal or make and add it with another relation.");
}

pg::string portal_column(const pg::string &portal, const char *column) {
    pg::catalog_scope as_catalog;
    return pg::query(pg::format("SELECT %s FROM etl.portal WHERE portal = $1", column), {pg::text(pg::view(portal))})
        .text(0, 0);
}

void update_portal(const pg::string &name, const portal_relations &now, const price_state &state, bool rebuilt_log) {
    const pg::string listing = pg::relation_name(now.listing), customer = pg::relation_name(now.customer),
                     stat = pg::relation_name(now.stat), prices = pg::relation_name(now.prices);
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.portal SET listing = $2, customer = $3, stat = $4, prices = $5, price_state = $6,"
                " listing_name = $7, customer_name = $8, stat_name = $9, prices_name = $10 WHERE portal = $1",
                {pg::text(pg::view(name)), pg::regclass(now.listing), pg::regclass(now.customer),
                 pg::regclass(now.stat), pg::regclass(now.prices), pg::regclass(state.table),
                 pg::text(pg::view(listing)), pg::text(pg::view(customer)), pg::text(pg::view(stat)),
                 pg::text(pg::view(prices))});
    if (!state.taken_over)
        pg::execute("UPDATE etl.portal SET state = 'unfolded', state_since = pg_catalog.now(), state_cause = NULL,"
                    " folded_at = NULL WHERE portal = $1",
                    {pg::text(pg::view(name))});
    else if (rebuilt_log)
        pg::execute("UPDATE etl.portal SET state = 'stale', state_since = pg_catalog.now(),"
                    " state_cause = 'price log was rebuilt' WHERE portal = $1 AND state <> 'unfolded'",
                    {pg::text(pg::view(name))});
}

// Views of other makes on relations that are gone went with them, or show what the portal's relations were.
void tell_other_makes(const portal &one, const make &refreshed) {
    pg::vector<pg::string> others;
    for (const recorded_view &view : source_views_of_portal(one.name))
        if (view.make != refreshed.name)
            others.push_back(view.make);
    if (!others.empty())
        pg::notice(
            pg::view(pg::format("%s has other relations now", in_quotes("portal", one.name).c_str())),
            pg::view(pg::format("Call etl_refresh_make for its other makes, too: %s.", list_of_names(others).c_str())));
}

// Whoever owns the portal answers for what is read and folded in its name, so nobody else points it at other relations.
void refresh_portal(const portal &one, const make &refreshed) {
    const portal_relations now{resolve("listing", portal_column(one.name, "listing_name"), one.listing, one.owner),
                               resolve("customer", portal_column(one.name, "customer_name"), one.customer, one.owner),
                               resolve("stat", portal_column(one.name, "stat_name"), one.stat, one.owner),
                               resolve("prices", portal_column(one.name, "prices_name"), one.prices, one.owner)};
    const bool rebuilt_log = now.prices != one.prices;
    const bool lost_state = !relation_exists(one.price_state);
    if (now.listing == one.listing && now.customer == one.customer && now.stat == one.stat && !rebuilt_log &&
        !lost_state)
        return;
    if (!pg::may_act_as(one.owner))
        throw error("42501",
                    pg::view(pg::format("relations of %s were rebuilt", in_quotes("portal", one.name).c_str())),
                    pg::view(pg::format("The portal belongs to role \"%s\".", pg::role_name(one.owner).c_str())),
                    "Ask a superuser, or a member of that role and of the make's owner, to call etl_refresh_make.");
    require_idle_portal(one.name);
    check_portal_relations(one.owner, now);
    price_state state{one.price_state, true};
    if ((rebuilt_log || lost_state) && watch::is_watched(pg::view(one.name))) {
        watch::release(one);
        pg::warning(pg::view(pg::format("price log of %s is no longer watched", in_quotes("portal", one.name).c_str())),
                    "It was rebuilt, or its price state was; call etl_watch_prices() again.");
    }
    if (rebuilt_log || lost_state)
        state = prepare_price_state(one.owner, one.name, now.prices);
    update_portal(one.name, now, state, rebuilt_log);
    if (state.table != one.price_state)
        remake_price_state_view(schema_of(state.table), one.owner);
    tell_other_makes(one, refreshed);
}

void refresh_mapping(const make &of) {
    pg::string name;
    {
        pg::catalog_scope as_catalog;
        name = pg::query("SELECT mapping_name FROM etl.make WHERE make = $1", {pg::text(pg::view(of.name))}).text(0, 0);
    }
    const Oid mapping = resolve("mapping", name, of.mapping, of.owner);
    check_mapping(of.owner, mapping);
    name = pg::relation_name(mapping);
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.make SET mapping = $2, mapping_name = $3 WHERE make = $1",
                {pg::text(pg::view(of.name)), pg::regclass(mapping), pg::text(pg::view(name))});
}

pg::vector<pg::string> portal_names(const make &of) {
    if (of.portals)
        return *of.portals;
    pg::vector<pg::string> names;
    for (const portal &one : all_portals())
        names.push_back(one.name);
    return names;
}

} // namespace

void refresh_make(const pg::string &name) {
    lock_definitions();
    const make known = get_make(pg::view(name));
    require_owner(known.owner, pg::view(in_quotes("make", name)));
    {
        pg::catalog_scope as_catalog;
        pg::execute("SELECT 1 FROM etl.make WHERE make = $1 FOR UPDATE", {pg::text(pg::view(name))});
    }
    require_idle_make(name);
    require_login(known.owner);
    refresh_mapping(known);
    const pg::vector<pg::string> portals = portal_names(known);
    for (const pg::string &portal : portals)
        refresh_portal(get_portal(pg::view(portal)), known);
    for (const recorded_view &one : source_views_of_make(name))
        drop_source_view(one.view);
    const make now = get_make(pg::view(name));
    if (!relation_exists(now.mart))
        throw error("42P01", pg::view(pg::format("mart of %s does not exist", in_quotes("make", name).c_str())),
                    "It was dropped.", "Drop the make with etl_drop_make and add it anew.");
    const pg::string query = template_query(now.template_name);
    for (const pg::string &portal : portals) {
        const Oid view = make_source_view(now, get_portal(pg::view(portal)), query);
        {
            pg::owner_scope as_owner(now.owner);
            mart::check_fit(now.mart, view);
        }
        record_source_view(now.name, portal, view);
    }
    if (now.terminal)
        check_terminal(now, *now.terminal);
    sync::distrust_partitions(name);
    capture::release_unneeded();
    capture::warn_uncaptured(name);
}

} // namespace etl::catalog
