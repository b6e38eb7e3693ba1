// C++ regime: triggers on the tables of a watched price log.
#include "watch/members.hpp"

#include "pg/dependency.hpp"
#include "watch/registration.hpp"

namespace etl::watch {

namespace {

struct kind {
    const char *name;
    int type; // pg_trigger.tgtype
    const char *definition;
    const char *enabled;
};

constexpr kind statement_triggers[] = {
    {"etl_fold_insert", 4, "AFTER INSERT ON %s REFERENCING NEW TABLE AS etl_new FOR EACH STATEMENT", "ALWAYS"},
    {"etl_fold_update", 16,
     "AFTER UPDATE ON %s REFERENCING OLD TABLE AS etl_old NEW TABLE AS etl_new FOR EACH STATEMENT", "ALWAYS"},
    {"etl_fold_delete", 8, "AFTER DELETE ON %s REFERENCING OLD TABLE AS etl_old FOR EACH STATEMENT", "ALWAYS"},
    {"etl_fold_truncate", 32, "AFTER TRUNCATE ON %s FOR EACH STATEMENT", "ALWAYS"}};
constexpr kind row_trigger{"etl_fold_applied", 29, "AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW", "REPLICA"};

constexpr const char *ours = "tgfoid OPERATOR(pg_catalog.=) 'etl.fold_price_events()'::pg_catalog.regprocedure";

void make_trigger(Oid relation, const kind &one) {
    const pg::string table = pg::relation_name(relation);
    const pg::string what = pg::format(one.definition, table.c_str());
    const pg::result present =
        pg::query(pg::format("SELECT oid, tgenabled FROM pg_catalog.pg_trigger WHERE tgrelid = $1"
                             " AND tgname = '%s' AND %s",
                             one.name, ours),
                  {pg::oid(relation)});
    if (present.empty())
        pg::execute(
            pg::format("CREATE TRIGGER %s %s EXECUTE FUNCTION etl.fold_price_events()", one.name, what.c_str()));
    if (present.empty() || present.text(0, 1).front() != *one.enabled)
        pg::execute(pg::format("ALTER TABLE %s ENABLE %s TRIGGER %s", table.c_str(), one.enabled, one.name));
    const pg::result made =
        pg::query(pg::format("SELECT oid FROM pg_catalog.pg_trigger WHERE tgrelid = $1 AND tgname = '%s'", one.name),
                  {pg::oid(relation)});
    pg::drop_trigger_with_extension(made.oid(0, 0));
}

pg::vector<Oid> tables_of(std::string_view portal) {
    // The log itself comes first: row triggers go from it to its partitions.
    // Temporary tables of other sessions can't have any.
    const pg::result rows = pg::query("SELECT c.relation::oid FROM etl.price_coverage c"
                                      " JOIN pg_catalog.pg_class t ON t.oid = c.relation"
                                      " WHERE c.portal = $1 AND t.relpersistence <> 't'"
                                      " ORDER BY NOT c.is_log, c.relation::oid",
                                      {pg::text(portal)});
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

// Else the first writer would find it out.
void require_room(const catalog::portal &portal) {
    const pg::result full = pg::query(
        "SELECT relation::oid, pg_catalog.count(*) FROM etl.watched_relation WHERE relation IN"
        " (SELECT r.relation FROM etl.watched_relation r WHERE r.portal = $1)"
        " GROUP BY relation HAVING pg_catalog.count(*) > $2 ORDER BY relation::oid LIMIT 1",
        {pg::text(pg::view(portal.name)), pg::int4(most_portals)});
    if (!full.empty())
        throw error("54000",
                    pg::view(pg::format("%s is watched for too many portals",
                                        pg::relation_name(full.oid(0, 0), "price log").c_str())),
                    pg::view(pg::format("A price log can be watched for up to %d portals.", most_portals)),
                    "Call etl_unwatch_prices() for one of them, or fold this one with etl_fold_prices() when needed.");
}

} // namespace

void require_tables(const catalog::portal &portal) {
    const pg::result wrong =
        pg::query("WITH RECURSIVE part AS (SELECT $1::oid AS relation UNION SELECT i.inhrelid FROM part"
                  " JOIN pg_catalog.pg_inherits i ON i.inhparent = part.relation)"
                  " SELECT c.oid FROM part LEFT JOIN pg_catalog.pg_class c ON c.oid = part.relation"
                  " WHERE c.oid IS NULL OR c.relkind NOT IN ('r', 'p') ORDER BY c.oid LIMIT 1",
                  {pg::oid(portal.prices)});
    if (wrong.empty())
        return;
    const Oid relation = wrong.is_null(0, 0) ? portal.prices : wrong.oid(0, 0);
    throw error("42809", pg::view(pg::format("%s can't be watched", pg::relation_name(relation, "price log").c_str())),
                "Only tables have triggers that see all events of a statement; a view or foreign table has none.",
                "Fold it with etl_fold_prices() when needed.");
}

pg::vector<Oid> attach_missing(const catalog::portal &portal) {
    const pg::vector<Oid> tables = tables_of(pg::view(portal.name));
    const bool subscribed = is_subscribed(tables);
    pg::vector<Oid> added;
    for (const Oid table : tables) {
        for (const kind &one : statement_triggers)
            make_trigger(table, one);
        if (subscribed)
            make_trigger(table, row_trigger);
        if (pg::execute("INSERT INTO etl.watched_relation (portal, relation) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                        {pg::text(pg::view(portal.name)), pg::regclass(table)}) == 1)
            added.push_back(table);
    }
    require_room(portal);
    forget_members(pg::view(portal.name));
    return added;
}

void detach_one(std::string_view portal, Oid relation) {
    pg::execute("DELETE FROM etl.watched_relation WHERE portal = $1 AND relation::oid = $2",
                {pg::text(portal), pg::oid(relation)});
    // Partitions lose the clones of the row trigger with their parent's.
    const pg::result triggers = pg::query(
        pg::format("SELECT tgname::text FROM pg_catalog.pg_trigger WHERE tgrelid = $1 AND tgparentid = 0 AND %s"
                   " AND NOT EXISTS (SELECT FROM etl.watched_relation w WHERE w.relation::oid = $1) ORDER BY tgname",
                   ours),
        {pg::oid(relation)});
    for (std::size_t row = 0; row < triggers.size(); row++)
        pg::execute(pg::format("DROP TRIGGER %s ON %s", pg::quote_identifier(pg::view(triggers.text(row, 0))).c_str(),
                               pg::relation_name(relation).c_str()));
}

void detach_all(std::string_view portal) {
    forget_members(portal);
    const pg::result rows = pg::query("SELECT r.relation::oid FROM etl.watched_relation r JOIN pg_catalog.pg_class c"
                                      " ON c.oid = r.relation WHERE r.portal = $1 ORDER BY c.relispartition, c.oid",
                                      {pg::text(portal)});
    for (std::size_t row = 0; row < rows.size(); row++)
        detach_one(portal, rows.oid(row, 0));
}

std::optional<pg::string> fault_of(std::string_view portal) {
    const pg::result rows = pg::query("SELECT fault FROM etl.price_fault WHERE portal = $1", {pg::text(portal)});
    return rows.empty() ? std::nullopt : rows.optional_text(0, 0);
}

void forget_members(std::string_view portal) {
    const pg::result rows = pg::query("SELECT r.relation::oid FROM etl.watched_relation r JOIN pg_catalog.pg_class c"
                                      " ON c.oid = r.relation WHERE r.portal = $1",
                                      {pg::text(portal)});
    for (std::size_t row = 0; row < rows.size(); row++) {
        const Oid relation = rows.oid(row, 0);
        pg::call([relation] { forget_registration(relation); });
    }
}

} // namespace etl::watch
