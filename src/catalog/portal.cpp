// C++ regime: adding and dropping portals.
#include "catalog/portal.hpp"

#include "capture/sources.hpp"
#include "catalog/name.hpp"
#include "catalog/price_state.hpp"
#include "catalog/relation.hpp"
#include "catalog/source_view.hpp"
#include "catalog/template.hpp"
#include "catalog/usage.hpp"
#include "mart/mart.hpp"
#include "pg/message.hpp"
#include "pg/transaction.hpp"
#include "watch/watch.hpp"

extern "C" {
#include "catalog/pg_type.h"
}

namespace etl::catalog {

namespace {

void insert_portal(const pg::string &name, Oid owner, const portal_relations &relations, const price_state &state) {
    pg::catalog_scope as_catalog;
    pg::execute(
        "INSERT INTO etl.portal (portal, owner, listing, customer, stat, prices, price_state, state, state_cause,"
        " listing_name, customer_name, stat_name, prices_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
        "$12,"
        " $13)",
        {pg::text(pg::view(name)), pg::regrole(owner), pg::regclass(relations.listing),
         pg::regclass(relations.customer), pg::regclass(relations.stat), pg::regclass(relations.prices),
         pg::regclass(state.table), pg::text(state.taken_over ? "stale" : "unfolded"),
         state.taken_over ? pg::text("table was there before the portal was added") : pg::null_of(TEXTOID),
         pg::text(pg::view(pg::relation_name(relations.listing))),
         pg::text(pg::view(pg::relation_name(relations.customer))),
         pg::text(pg::view(pg::relation_name(relations.stat))),
         pg::text(pg::view(pg::relation_name(relations.prices)))});
}

// A make that cannot take the portal must not keep another owner from adding it: it is told, and its next run says so.
void extend_make(const pg::string &make_name, const portal &added) {
    const std::optional<pg::error_report> failure = pg::in_subtransaction([&] {
        const make of = get_make(pg::view(make_name));
        const Oid view = make_source_view(of, added, template_query(of.template_name));
        {
            pg::owner_scope as_owner(of.owner);
            mart::check_fit(of.mart, view);
        }
        record_source_view(of.name, added.name, view);
    });
    if (!failure)
        return;
    // The statement was cancelled or lost a deadlock: nothing that the make is to blame for.
    if (strcmp(failure->sqlstate, "57014") == 0 || strcmp(failure->sqlstate, "40P01") == 0)
        throw error(failure->sqlstate, pg::view(failure->message), pg::view(failure->detail));
    pg::string why = failure->message;
    if (!failure->detail.empty())
        why.append(": ").append(failure->detail.data(), failure->detail.size());
    pg::warning(pg::view(pg::format("make \"%s\" has no source view for portal \"%s\" yet: %s", make_name.c_str(),
                                    added.name.c_str(), why.c_str())),
                "Its runs fail until that is cured and etl_refresh_make has been called.");
}

} // namespace

void check_portal_relations(Oid owner, const portal_relations &relations) {
    const column_need lid{"lid", {INT8OID}, "bigint"};
    const column_need acc_id{"acc_id", {}, ""};
    const column_need price{
        "price", {NUMERICOID, INT2OID, INT4OID, INT8OID, FLOAT4OID, FLOAT8OID}, "numeric, integer or floating point"};
    const column_need dt{"dt", {DATEOID, TIMESTAMPOID, TIMESTAMPTZOID}, "date or timestamp"};
    auto check = [owner](const char *what, Oid relation, std::initializer_list<column_need> columns) {
        check_source(what, relation, columns);
        probe_source(owner, what, relation, columns);
    };
    check("listing", relations.listing, {lid});
    check("customer", relations.customer, {acc_id});
    check("stat", relations.stat, {lid});
    check("prices", relations.prices, {lid, price, dt});
}

void add_portal(const pg::string &name, const portal_relations &relations) {
    const Oid owner = pg::current_role();
    check_name("portal", name);
    require_login(owner);
    lock_definitions();
    if (find_portal(pg::view(name)))
        throw error("42710", pg::view(pg::format("%s already exists", in_quotes("portal", name).c_str())), {},
                    "Drop it first with etl_drop_portal; its price state stays.");
    check_portal_relations(owner, relations);
    insert_portal(name, owner, relations, prepare_price_state(owner, name, relations.prices));
    remake_price_state_view(schema_of(relations.prices), owner);
    const portal added = get_portal(pg::view(name));
    for (const pg::string &make : makes_of_all_portals())
        extend_make(make, added);
}

void drop_portal(const pg::string &name) {
    lock_definitions();
    const portal dropped = get_portal(pg::view(name));
    require_owner(dropped.owner, pg::view(in_quotes("portal", name)));
    const pg::vector<pg::string> makes = makes_naming_portal(name);
    if (!makes.empty())
        throw error("2BP01",
                    pg::view(pg::format("cannot drop %s because makes name it", in_quotes("portal", name).c_str())),
                    pg::view(pg::format("Makes: %s.", list_of_names(makes).c_str())),
                    "Drop the makes first with etl_drop_make.");
    {
        pg::catalog_scope as_catalog;
        pg::execute("SELECT 1 FROM etl.portal WHERE portal = $1 FOR UPDATE", {pg::text(pg::view(name))});
    }
    require_idle_portal(name);
    watch::release(dropped);
    for (const recorded_view &one : source_views_of_portal(name))
        drop_source_view(one.view);
    {
        pg::catalog_scope as_catalog;
        pg::execute("DELETE FROM etl.source WHERE portal = $1", {pg::text(pg::view(name))});
        pg::execute("DELETE FROM etl.portal WHERE portal = $1", {pg::text(pg::view(name))});
    }
    capture::release_unneeded();
    const pg::string schema = schema_of(dropped.price_state);
    if (!schema.empty())
        remake_price_state_view(schema, std::nullopt);
}

} // namespace etl::catalog
