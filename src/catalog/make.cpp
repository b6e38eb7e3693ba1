// C++ regime: adding and dropping makes.
#include "catalog/make.hpp"

#include "capture/sources.hpp"
#include "catalog/name.hpp"
#include "catalog/relation.hpp"
#include "catalog/source_view.hpp"
#include "catalog/template.hpp"
#include "catalog/terminal.hpp"
#include "catalog/usage.hpp"
#include "mart/mart.hpp"
#include "mart/name.hpp"
#include "sync/standing.hpp"

extern "C" {
#include "catalog/pg_type.h"
}

namespace etl::catalog {

namespace {

// By the search_path of the session, hence before any scope pins it.
pg::string qualified_mart(const make_request &request) {
    if (!request.mart)
        return pg::format("raw.%s",
                          pg::quote_identifier(pg::view(pg::derived_name("ads_", pg::view(request.name)))).c_str());
    const mart::qualified_name parsed = mart::parse_name(pg::view(*request.mart));
    return mart::qualified(pg::view(parsed.schema), pg::view(parsed.name));
}

pg::vector<portal> portals_of(const make_request &request) {
    if (!request.portals)
        return all_portals();
    if (request.portals->empty())
        throw error("22023", "argument \"portals\" must not be empty", {}, "Leave it NULL for all portals.");
    pg::vector<portal> portals;
    for (const pg::string &name : *request.portals) {
        for (const portal &before : portals)
            if (before.name == name)
                throw error("22023", pg::view(pg::format("%s is named twice", in_quotes("portal", name).c_str())));
        portals.push_back(get_portal(pg::view(name)));
    }
    return portals;
}

void require_free_mart(const pg::string &mart, Oid relation) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query("SELECT make FROM etl.make WHERE mart = $1", {pg::regclass(relation)});
    if (!rows.empty())
        throw error("55000", pg::view(pg::format("%s is the mart of another make", mart.c_str())),
                    pg::view(pg::format("It belongs to %s.", in_quotes("make", rows.text(0, 0)).c_str())),
                    "Name another mart: each make has its own.");
}

void insert_make(const make &added) {
    const pg::string mapping = pg::relation_name(added.mapping);
    pg::catalog_scope as_catalog;
    pg::execute("INSERT INTO etl.make (make, owner, mapping, mart, country, template, portals, terminal, settings,"
                " mapping_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10)",
                {pg::text(pg::view(added.name)), pg::regrole(added.owner), pg::regclass(added.mapping),
                 pg::regclass(added.mart), pg::text(added.country), pg::text(pg::view(added.template_name)),
                 pg::text_array(added.portals), pg::text(added.terminal), pg::text(pg::view(added.settings)),
                 pg::text(pg::view(mapping))});
}

// Nobody else would: what is to come after a make of this name may belong to another owner.
void drop_stagings(const make &of) {
    pg::vector<Oid> stagings;
    {
        pg::catalog_scope as_catalog;
        const pg::result rows = pg::query("SELECT c.oid FROM etl.run r JOIN etl.run_portal p USING (run_id)"
                                          " JOIN pg_catalog.pg_class c ON c.oid = p.staging"
                                          " WHERE r.make = $1 AND r.kind = 'seed' AND r.state <> 'published' AND c.relowner = $2"
                                          " AND NOT c.relispartition",
                                          {pg::text(pg::view(of.name)), pg::oid(of.owner)});
        for (std::size_t row = 0; row < rows.size(); row++)
            stagings.push_back(rows.oid(row, 0));
    }
    if (stagings.empty())
        return; // the owner may be no role any more
    pg::owner_scope as_owner(of.owner);
    for (const Oid staging : stagings)
        mart::drop_staging(staging);
}

} // namespace

void check_mapping(Oid owner, Oid mapping) {
    const column_need lid{"lid", {INT8OID}, "bigint"};
    check_source("mapping", mapping, {lid});
    probe_source(owner, "mapping", mapping, {lid});
}

void add_make(const make_request &request) {
    const Oid owner = pg::current_role();
    check_name("make", request.name);
    require_login(owner);
    const pg::string mart = qualified_mart(request);
    lock_definitions();
    if (find_make(pg::view(request.name)))
        throw error("42710", pg::view(pg::format("%s already exists", in_quotes("make", request.name).c_str())), {},
                    "Drop it first with etl_drop_make; its mart stays.");
    make added{request.name,          owner,           request.mapping,   InvalidOid, request.country,
               request.template_name, request.portals, current_settings(), request.terminal};
    check_mapping(owner, request.mapping);
    const pg::string query = template_query(request.template_name);
    const pg::vector<portal> portals = portals_of(request);
    {
        pg::owner_scope as_owner(owner);
        if (const Oid present = find_relation(pg::view(mart)); OidIsValid(present))
            require_free_mart(mart, present);
    }
    pg::vector<Oid> views;
    for (const portal &one : portals)
        views.push_back(make_source_view(added, one, query));
    {
        pg::owner_scope as_owner(owner);
        added.mart = mart::prepare(pg::view(mart), views.empty() ? std::nullopt : std::optional<Oid>(views.front()));
        for (const Oid view : views)
            mart::check_fit(added.mart, view);
    }
    if (added.terminal)
        check_terminal(added, *added.terminal);
    insert_make(added);
    for (std::size_t i = 0; i < views.size(); i++)
        record_source_view(added.name, portals[i].name, views[i]);
}

void drop_make(const pg::string &name) {
    lock_definitions();
    const make dropped = get_make(pg::view(name));
    require_owner(dropped.owner, pg::view(in_quotes("make", name)));
    {
        pg::catalog_scope as_catalog;
        pg::execute("SELECT 1 FROM etl.make WHERE make = $1 FOR UPDATE", {pg::text(pg::view(name))});
    }
    require_idle_make(name);
    drop_stagings(dropped);
    for (const recorded_view &one : source_views_of_make(name))
        drop_source_view(one.view);
    pg::catalog_scope as_catalog;
    pg::execute("DELETE FROM etl.source WHERE make = $1", {pg::text(pg::view(name))});
    pg::execute("DELETE FROM etl.make WHERE make = $1", {pg::text(pg::view(name))});
    sync::forget_partitions(name);
    capture::release(name);
}

} // namespace etl::catalog
