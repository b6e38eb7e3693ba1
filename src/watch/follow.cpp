// C++ regime: DDL on watched logs: what it adds, what it takes away, what may have gone around the triggers.
#include "pg/message.hpp"
#include "watch/members.hpp"
#include "watch/registration.hpp"
#include "watch/watch.hpp"

namespace etl::watch {

namespace {

void record(const pg::string &portal, std::string_view cause) {
    pg::execute("SELECT etl.record_price_gap($1, $2)", {pg::text(pg::view(portal)), pg::text(cause)});
}

bool has_pages(Oid relation) {
    return pg::query("SELECT pg_catalog.pg_relation_size($1::regclass) > 0", {pg::oid(relation)}).boolean(0, 0);
}

void drop_lost(const catalog::portal &portal) {
    const pg::result lost =
        pg::query("SELECT r.relation::oid, c.relname::text FROM etl.watched_relation r LEFT JOIN pg_catalog.pg_class c"
                  " ON c.oid = r.relation WHERE r.portal = $1 AND NOT EXISTS (SELECT FROM etl.price_coverage p"
                  "  WHERE p.portal = r.portal AND p.relation = r.relation) ORDER BY 1",
                  {pg::text(pg::view(portal.name))});
    for (std::size_t row = 0; row < lost.size(); row++) {
        const Oid relation = lost.oid(row, 0);
        if (lost.is_null(row, 1)) {
            pg::execute("DELETE FROM etl.watched_relation WHERE portal = $1 AND relation::oid = $2",
                        {pg::text(pg::view(portal.name)), pg::oid(relation)});
            record(portal.name, "a partition of the price log was dropped");
            continue;
        }
        if (has_pages(relation))
            record(portal.name,
                   pg::view(pg::format("partition %s of the price log was detached", lost.text(row, 1).c_str())));
        detach_one(pg::view(portal.name), relation);
    }
}

// A partition that comes with rows, or a table that can have no triggers of ours, is a gap; an empty one is only new.
void take_new(const catalog::portal &portal) {
    const pg::result added = pg::query(
        "SELECT c.relation::oid, t.relname::text, t.relkind IN ('r', 'p') AND t.relpersistence <> 't' FROM etl.price_coverage c"
        " JOIN pg_catalog.pg_class t ON t.oid = c.relation WHERE c.portal = $1"
        " AND NOT EXISTS (SELECT FROM etl.watched_relation r WHERE r.portal = c.portal AND r.relation = c.relation)"
        " ORDER BY 1",
        {pg::text(pg::view(portal.name))});
    bool all_tables = true;
    for (std::size_t row = 0; row < added.size(); row++) {
        all_tables = all_tables && added.boolean(row, 2);
        if (!added.boolean(row, 2) || has_pages(added.oid(row, 0)))
            record(portal.name,
                   pg::view(pg::format("partition %s was attached to the price log", added.text(row, 1).c_str())));
    }
    if (!added.empty() && all_tables)
        attach_missing(portal);
}

} // namespace

void follow(const catalog::portal &portal) {
    // In a copy that is being restored the catalog's own rows may be yet to come.
    if (!pg::query("SELECT FROM etl.price_gap WHERE portal = $1 AND is_start", {pg::text(pg::view(portal.name))}).empty()) {
        drop_lost(portal);
        take_new(portal);
    }
    pg::execute("SELECT etl.note_price_fault($1)", {pg::text(pg::view(portal.name))});
}

void follow() {
    if (own_ddl::under_way() || !pg::call([] { return any_watched(); }))
        return;
    pg::catalog_scope as_catalog;
    // What came new, or was lost, shows as a fault too; most DDL has to do with no price log.
    const pg::result watched =
        pg::query("SELECT w.portal FROM etl.watch w LEFT JOIN etl.price_fault f ON f.portal = w.portal"
                  " WHERE w.fault IS NOT NULL OR f.fault IS NOT NULL ORDER BY w.portal COLLATE \"C\"");
    const own_ddl mark;
    for (std::size_t row = 0; row < watched.size(); row++)
        follow(catalog::get_portal(pg::view(watched.text(row, 0))));
}

} // namespace etl::watch
