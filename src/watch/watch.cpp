// C++ regime: attaching triggers to price logs, and removing them.
#include "watch/watch.hpp"

#include "catalog/usage.hpp"
#include "pg/dependency.hpp"
#include "pg/message.hpp"
#include "settings.hpp"
#include "watch/members.hpp"

namespace etl::watch {

namespace {

void require_trigger_right(const catalog::portal &portal) {
    const pg::result right = pg::query("SELECT pg_catalog.has_table_privilege($1, $2, 'TRIGGER')",
                                       {pg::oid(portal.owner), pg::oid(portal.prices)});
    if (right.is_null(0, 0) || !right.boolean(0, 0))
        throw error("42501",
                    pg::view(pg::format("permission denied for price log %s",
                                        pg::relation_name(portal.prices, "price log").c_str())),
                    pg::view(pg::format("Watching it puts triggers on it, for which role \"%s\" lacks the right.",
                                        pg::role_name(portal.owner).c_str())),
                    "GRANT TRIGGER on it to the owner of the portal.");
}

// Nobody writes from here on until the transaction ends.
void lock_log(const catalog::portal &portal) {
    pg::execute(pg::format("LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", pg::relation_name(portal.prices).c_str()));
}

void warn_without_index(const catalog::portal &portal) {
    const pg::result lacking = pg::query(
        "SELECT c.relation::pg_catalog.text FROM etl.coverage c JOIN pg_catalog.pg_class t ON t.oid = c.relation"
        " WHERE c.kind = 'price log' AND c.name = $1 AND t.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i"
        "  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        "  WHERE i.indrelid = c.relation AND i.indisvalid AND i.indpred IS NULL AND a.attname = 'lid')"
        " ORDER BY c.relation::pg_catalog.text LIMIT 1",
        {pg::text(pg::view(portal.name))});
    if (!lacking.empty())
        pg::warning(pg::view(pg::format("price log %s has no index that begins with lid", lacking.text(0, 0).c_str())),
                    "Every UPDATE or DELETE of an extreme event reads the whole table.");
}

// Why the price state can't be in step with the log now.
std::optional<pg::string> price_fault_of(const pg::string &portal) {
    const pg::result rows =
        pg::query("SELECT fault FROM etl.price_fault WHERE portal = $1", {pg::text(pg::view(portal))});
    return rows.empty() ? std::nullopt : rows.optional_text(0, 0);
}

} // namespace

void attach(const pg::string &name) {
    catalog::lock_definitions();
    const catalog::portal portal = catalog::get_portal(pg::view(name));
    catalog::require_owner(portal.owner, pg::view(pg::format("portal \"%s\"", name.c_str())));
    require_trigger_right(portal);
    pg::catalog_scope as_catalog;
    pg::settings_scope settings;
    settings.set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
    const watched log = price_log_of(portal);
    require_tables(log, "Fold it with etl_fold_prices() when needed.");
    lock_log(portal);
    const own_ddl mark;
    const bool begins = pg::execute("INSERT INTO etl.watch (portal, since) VALUES ($1, pg_catalog.clock_timestamp())"
                                    " ON CONFLICT DO NOTHING",
                                    {pg::text(pg::view(name))}) == 1;
    if (!begins)
        follow(log);
    if (begins || price_fault_of(name)) {
        attach_missing(log);
        pg::execute("SELECT etl.begin_price_watch($1)", {pg::text(pg::view(name))});
    }
    if (const auto fault = price_fault_of(name))
        throw error("55000", pg::view(pg::format("the price log of portal \"%s\" can't be watched", name.c_str())),
                    pg::view(*fault));
    warn_without_index(portal);
}

void detach(const pg::string &name) {
    catalog::lock_definitions();
    const catalog::portal portal = catalog::get_portal(pg::view(name));
    catalog::require_owner(portal.owner, pg::view(pg::format("portal \"%s\"", name.c_str())));
    release(portal);
}

void release(const catalog::portal &portal) {
    pg::catalog_scope as_catalog;
    if (!is_watched(pg::view(portal.name)))
        return;
    pg::settings_scope settings;
    settings.set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
    const own_ddl mark;
    detach_all(price_log_of(portal));
    pg::execute("DELETE FROM etl.watched_relation WHERE portal = $1", {pg::text(pg::view(portal.name))});
    pg::execute("DELETE FROM etl.watch WHERE portal = $1", {pg::text(pg::view(portal.name))});
    pg::execute("UPDATE etl.portal SET state = 'as_of', state_since = pg_catalog.clock_timestamp(), state_cause = NULL,"
                " folded_at = pg_catalog.clock_timestamp() WHERE portal = $1 AND state = 'current'",
                {pg::text(pg::view(portal.name))});
}

void set_channel(const pg::string &name, const std::optional<pg::string> &channel) {
    catalog::lock_definitions();
    const catalog::portal portal = catalog::get_portal(pg::view(name));
    catalog::require_owner(portal.owner, pg::view(pg::format("portal \"%s\"", name.c_str())));
    if (channel && (channel->empty() || channel->size() >= NAMEDATALEN))
        throw error("22023", pg::view(pg::format("channel name must have 1 to %d bytes", NAMEDATALEN - 1)),
                    pg::view(pg::format("It has %zu.", channel->size())), "NULL ends notifications.");
    pg::catalog_scope as_catalog;
    if (!is_watched(pg::view(name)))
        throw error("55000", pg::view(pg::format("the price log of portal \"%s\" is not watched", name.c_str())), {},
                    "Call etl_watch_prices() first.");
    pg::execute("UPDATE etl.watch SET channel = $2 WHERE portal = $1", {pg::text(pg::view(name)), pg::text(channel)});
    forget_members(price_log_of(portal));
}

bool is_watched(std::string_view portal) {
    pg::catalog_scope as_catalog;
    return !pg::query("SELECT FROM etl.watch WHERE portal = $1", {pg::text(portal)}).empty();
}

} // namespace etl::watch
