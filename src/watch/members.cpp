// C++ regime: triggers on the tables of watched price logs and captured sources.
#include "watch/members.hpp"

#include "pg/dependency.hpp"
#include "watch/registration.hpp"

namespace etl::watch {

namespace {

constexpr trigger_set on_price_logs{
    "price log",
    "etl.fold_price_events",
    "etl_fold",
    "INSERT INTO etl.watched_relation (portal, relation) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    "DELETE FROM etl.watched_relation WHERE portal = $1 AND relation::oid = $2",
    "SELECT FROM etl.price_gap WHERE portal = $1 AND is_start",
    "SELECT etl.record_price_gap($1, $2)",
    "SELECT etl.note_price_fault($1)",
    "portals",
    "Call etl_unwatch_prices() for one of them, or fold this one with etl_fold_prices() when needed."};
constexpr trigger_set on_sources{
    "source",
    "etl.capture_changes",
    "etl_capture",
    "INSERT INTO etl.captured_relation (source, relation) VALUES ($1::oid, $2) ON CONFLICT DO NOTHING",
    "DELETE FROM etl.captured_relation WHERE source::oid = $1::oid AND relation::oid = $2",
    "SELECT FROM etl.source_gap WHERE source = $1::oid AND is_start",
    "SELECT etl.record_source_gap($1::oid, $2)",
    "SELECT etl.note_source_fault($1::oid)",
    "sources",
    "Let portals read tables that are no part of one another."};

struct kind {
    const char *name; // after the prefix
    int type; // pg_trigger.tgtype
    const char *definition;
    const char *enabled;
};

constexpr kind statement_triggers[] = {
    {"insert", 4, "AFTER INSERT ON %s REFERENCING NEW TABLE AS etl_new FOR EACH STATEMENT", "ALWAYS"},
    {"update", 16, "AFTER UPDATE ON %s REFERENCING OLD TABLE AS etl_old NEW TABLE AS etl_new FOR EACH STATEMENT",
     "ALWAYS"},
    {"delete", 8, "AFTER DELETE ON %s REFERENCING OLD TABLE AS etl_old FOR EACH STATEMENT", "ALWAYS"},
    {"truncate", 32, "AFTER TRUNCATE ON %s FOR EACH STATEMENT", "ALWAYS"}};
constexpr kind row_trigger{"applied", 29, "AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW", "REPLICA"};

pg::value name_of(const watched &one) {
    return pg::text(pg::view(one.name));
}

pg::string ours(const trigger_set &triggers) {
    return pg::format("tgfoid OPERATOR(pg_catalog.=) '%s()'::pg_catalog.regprocedure", triggers.function);
}

void make_trigger(const trigger_set &triggers, Oid relation, const kind &one) {
    const pg::string table = pg::relation_name(relation);
    const pg::string what = pg::format(one.definition, table.c_str());
    const pg::string name = pg::format("%s_%s", triggers.prefix, one.name);
    const pg::string find = pg::format("SELECT oid, tgenabled FROM pg_catalog.pg_trigger WHERE tgrelid = $1"
                                       " AND tgname = '%s' AND %s",
                                       name.c_str(), ours(triggers).c_str());
    const pg::result present = pg::query(find, {pg::oid(relation)});
    if (present.empty())
        pg::execute(
            pg::format("CREATE TRIGGER %s %s EXECUTE FUNCTION %s()", name.c_str(), what.c_str(), triggers.function));
    if (present.empty() || present.text(0, 1).front() != *one.enabled)
        pg::execute(pg::format("ALTER TABLE %s ENABLE %s TRIGGER %s", table.c_str(), one.enabled, name.c_str()));
    pg::drop_trigger_with_extension(pg::query(find, {pg::oid(relation)}).oid(0, 0));
}

pg::vector<Oid> tables_of(const watched &one) {
    // The root comes first: row triggers go from it to its partitions.
    // Temporary tables of other sessions can't have any.
    const pg::result rows = pg::query("SELECT c.relation::oid FROM etl.coverage c"
                                      " JOIN pg_catalog.pg_class t ON t.oid = c.relation"
                                      " WHERE c.kind = $2 AND c.name = $1 AND t.relpersistence <> 't'"
                                      " ORDER BY NOT c.is_root, c.relation::oid",
                                      {name_of(one), pg::text(one.triggers->kind)});
    pg::vector<Oid> tables;
    for (std::size_t row = 0; row < rows.size(); row++)
        tables.push_back(rows.oid(row, 0));
    return tables;
}

bool is_subscribed(const pg::vector<Oid> &tables) {
    for (const Oid table : tables)
        if (!pg::query("SELECT FROM pg_catalog.pg_subscription_rel WHERE srrelid = $1", {pg::oid(table)}).empty())
            return true;
    return false;
}

// Those of them that still exist, the root first.
pg::vector<Oid> members_of(const watched &one) {
    const pg::result rows = pg::query("SELECT r.relation FROM etl.watch_member r JOIN pg_catalog.pg_class c"
                                      " ON c.oid = r.relation WHERE r.kind = $2 AND r.name = $1"
                                      " ORDER BY c.relispartition, c.oid",
                                      {name_of(one), pg::text(one.triggers->kind)});
    pg::vector<Oid> members;
    for (std::size_t row = 0; row < rows.size(); row++)
        members.push_back(rows.oid(row, 0));
    return members;
}

// Else the first writer would find it out.
void require_room(const watched &one) {
    const trigger_set &triggers = *one.triggers;
    const pg::result full =
        pg::query("SELECT relation, pg_catalog.count(*) FROM etl.watch_member WHERE kind = $2 AND relation IN"
                  " (SELECT r.relation FROM etl.watch_member r WHERE r.kind = $2 AND r.name = $1)"
                  " GROUP BY relation HAVING pg_catalog.count(*) > $3 ORDER BY relation LIMIT 1",
                  {name_of(one), pg::text(triggers.kind), pg::int4(most_watchers)});
    if (!full.empty())
        throw error("54000",
                    pg::view(pg::format("%s is watched for too many %s",
                                        pg::relation_name(full.oid(0, 0), triggers.kind).c_str(), triggers.sharers)),
                    pg::view(pg::format("A %s can be watched for up to %d %s.", triggers.kind, most_watchers,
                                        triggers.sharers)),
                    triggers.too_many);
}

} // namespace

watched price_log_of(const catalog::portal &portal) {
    return {&on_price_logs, portal.name, portal.prices};
}

watched capture_of(Oid source) {
    return {&on_sources, pg::format("%u", source), source};
}

void require_tables(const watched &one, const char *hint) {
    const pg::result wrong =
        pg::query("WITH RECURSIVE part AS (SELECT $1::oid AS relation UNION SELECT i.inhrelid FROM part"
                  " JOIN pg_catalog.pg_inherits i ON i.inhparent = part.relation)"
                  " SELECT c.oid FROM part LEFT JOIN pg_catalog.pg_class c ON c.oid = part.relation"
                  " WHERE c.oid IS NULL OR c.relkind NOT IN ('r', 'p') ORDER BY c.oid LIMIT 1",
                  {pg::oid(one.root)});
    if (wrong.empty())
        return;
    const Oid relation = wrong.is_null(0, 0) ? one.root : wrong.oid(0, 0);
    throw error("42809",
                pg::view(pg::format("%s can't be watched", pg::relation_name(relation, one.triggers->kind).c_str())),
                "Only tables have triggers that see all rows of a statement; a view or foreign table has none.", hint);
}

pg::vector<Oid> attach_missing(const watched &one) {
    const pg::vector<Oid> tables = tables_of(one);
    const bool subscribed = is_subscribed(tables);
    pg::vector<Oid> added;
    for (const Oid table : tables) {
        for (const kind &trigger : statement_triggers)
            make_trigger(*one.triggers, table, trigger);
        if (subscribed)
            make_trigger(*one.triggers, table, row_trigger);
        if (pg::execute(one.triggers->add_member, {name_of(one), pg::regclass(table)}) == 1)
            added.push_back(table);
    }
    require_room(one);
    forget_members(one);
    return added;
}

void detach_one(const watched &one, Oid relation) {
    pg::execute(one.triggers->drop_member, {name_of(one), pg::oid(relation)});
    // Partitions lose the clones of the row trigger with their parent's.
    const pg::result triggers = pg::query(
        pg::format("SELECT tgname::text FROM pg_catalog.pg_trigger WHERE tgrelid = $1 AND tgparentid = 0 AND %s"
                   " AND NOT EXISTS (SELECT FROM etl.watch_member w WHERE w.kind = $2 AND w.relation = $1)"
                   " ORDER BY tgname",
                   ours(*one.triggers).c_str()),
        {pg::oid(relation), pg::text(one.triggers->kind)});
    for (std::size_t row = 0; row < triggers.size(); row++)
        pg::execute(pg::format("DROP TRIGGER %s ON %s", pg::quote_identifier(pg::view(triggers.text(row, 0))).c_str(),
                               pg::relation_name(relation).c_str()));
}

void detach_all(const watched &one) {
    forget_members(one);
    for (const Oid relation : members_of(one))
        detach_one(one, relation);
}

std::optional<pg::string> fault_of(const watched &one) {
    const pg::result rows = pg::query("SELECT fault FROM etl.watch_fault WHERE kind = $2 AND name = $1",
                                      {name_of(one), pg::text(one.triggers->kind)});
    return rows.empty() ? std::nullopt : rows.optional_text(0, 0);
}

void forget_members(const watched &one) {
    for (const Oid relation : members_of(one))
        pg::call([relation] { forget_registration(relation); });
}

} // namespace etl::watch
