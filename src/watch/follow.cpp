// C++ regime: DDL on what is watched: what it adds, what it takes away, what may have gone around the triggers.
#include "pg/message.hpp"
#include "watch/members.hpp"
#include "watch/registration.hpp"
#include "watch/watch.hpp"

namespace etl::watch {

namespace {

pg::value name_of(const watched &one) {
    return pg::text(pg::view(one.name));
}

void record(const watched &one, std::string_view cause) {
    pg::execute(one.triggers->record_gap, {name_of(one), pg::text(cause)});
}

bool has_pages(Oid relation) {
    return pg::query("SELECT pg_catalog.pg_relation_size($1::regclass) > 0", {pg::oid(relation)}).boolean(0, 0);
}

void drop_lost(const watched &one) {
    const pg::result lost =
        pg::query("SELECT r.relation, c.relname::text FROM etl.watch_member r LEFT JOIN pg_catalog.pg_class c"
                  " ON c.oid = r.relation WHERE r.kind = $2 AND r.name = $1 AND NOT EXISTS (SELECT FROM etl.coverage p"
                  "  WHERE p.kind = r.kind AND p.name = r.name AND p.relation = r.relation) ORDER BY 1",
                  {name_of(one), pg::text(one.triggers->kind)});
    for (std::size_t row = 0; row < lost.size(); row++) {
        const Oid relation = lost.oid(row, 0);
        if (lost.is_null(row, 1)) {
            pg::execute(one.triggers->drop_member, {name_of(one), pg::oid(relation)});
            record(one, pg::view(pg::format("a partition of the %s was dropped", one.triggers->kind)));
            continue;
        }
        if (has_pages(relation))
            record(one, pg::view(pg::format("partition %s of the %s was detached", lost.text(row, 1).c_str(),
                                            one.triggers->kind)));
        detach_one(one, relation);
    }
}

// A partition that comes with rows, or a table that can have no triggers of ours, is a gap; an empty one is only new.
void take_new(const watched &one) {
    const pg::result added = pg::query(
        "SELECT c.relation::oid, t.relname::text, t.relkind IN ('r', 'p') AND t.relpersistence <> 't' FROM etl.coverage c"
        " JOIN pg_catalog.pg_class t ON t.oid = c.relation WHERE c.kind = $2 AND c.name = $1"
        " AND NOT EXISTS (SELECT FROM etl.watch_member r"
        "  WHERE r.kind = c.kind AND r.name = c.name AND r.relation = c.relation)"
        " ORDER BY 1",
        {name_of(one), pg::text(one.triggers->kind)});
    bool all_tables = true;
    for (std::size_t row = 0; row < added.size(); row++) {
        all_tables = all_tables && added.boolean(row, 2);
        if (!added.boolean(row, 2) || has_pages(added.oid(row, 0)))
            record(one, pg::view(pg::format("partition %s was attached to the %s", added.text(row, 1).c_str(),
                                            one.triggers->kind)));
    }
    if (!added.empty() && all_tables)
        attach_missing(one);
}

} // namespace

void follow(const watched &one) {
    // In a copy that is being restored the catalog's own rows may be yet to come.
    if (!pg::query(one.triggers->is_known, {name_of(one)}).empty()) {
        drop_lost(one);
        take_new(one);
    }
    pg::execute(one.triggers->note_fault, {name_of(one)});
}

void follow() {
    if (own_ddl::under_way() || !pg::call([] { return any_watched(); }))
        return;
    pg::catalog_scope as_catalog;
    // What came new, or was lost, shows as a fault too; most DDL has to do with nothing of that.
    const pg::result logs =
        pg::query("SELECT w.portal FROM etl.watch w LEFT JOIN etl.price_fault f ON f.portal = w.portal"
                  " WHERE w.fault IS NOT NULL OR f.fault IS NOT NULL ORDER BY w.portal COLLATE \"C\"");
    const pg::result sources =
        pg::query("SELECT s.source::oid FROM etl.captured_source s LEFT JOIN etl.watch_fault f ON f.kind = 'source'"
                  " AND f.name = s.source::oid::text WHERE s.fault IS NOT NULL OR f.fault IS NOT NULL ORDER BY 1");
    const own_ddl mark;
    for (std::size_t row = 0; row < logs.size(); row++)
        follow(price_log_of(catalog::get_portal(pg::view(logs.text(row, 0)))));
    for (std::size_t row = 0; row < sources.size(); row++)
        follow(capture_of(sources.oid(row, 0)));
}

} // namespace etl::watch
