// C++ regime: triggers on the sources of makes.
#include "capture/sources.hpp"

#include "catalog/name.hpp"
#include "capture/account_key.hpp"
#include "catalog/usage.hpp"
#include "pg/message.hpp"
#include "settings.hpp"
#include "watch/members.hpp"

namespace etl::capture {

namespace {

// A relation of the make, and which of its columns tells what has changed.
struct need {
    Oid source;
    bool by_lid, by_account;
};

pg::vector<need> needs_of(const pg::string &make) {
    const pg::result rows = pg::query("SELECT source, pg_catalog.bool_or(NOT by_account), pg_catalog.bool_or(by_account)"
                                      " FROM etl.source_need WHERE make = $1 GROUP BY source ORDER BY source",
                                      {pg::text(pg::view(make))});
    pg::vector<need> needs;
    for (std::size_t row = 0; row < rows.size(); row++)
        needs.push_back({rows.oid(row, 0), rows.boolean(row, 1), rows.boolean(row, 2)});
    return needs;
}

void require_trigger_right(const catalog::make &of, Oid source) {
    const pg::result right =
        pg::query("SELECT pg_catalog.has_table_privilege($1, $2, 'TRIGGER')", {pg::oid(of.owner), pg::oid(source)});
    if (right.is_null(0, 0) || !right.boolean(0, 0))
        throw error(
            "42501",
            pg::view(pg::format("permission denied for source %s", pg::relation_name(source, "source").c_str())),
            pg::view(pg::format("Watching it puts triggers on it, for which role \"%s\" lacks the right.",
                                pg::role_name(of.owner).c_str())),
            "GRANT TRIGGER on it to the owner of the make.");
}

void require_account_key(const need &one) {
    if (one.by_account && !has_account_key(one.source))
        throw error("42804",
                    pg::view(pg::format("source %s can't be watched", pg::relation_name(one.source, "source").c_str())),
                    "Changes of sellers are queued by acc_id, which is of another type than smallint, integer and bigint.",
                    "Let the make do without: syncs find what has changed by the column modified.");
}

pg::value as_text(bool flag) {
    return pg::text(flag ? "true" : "false");
}

// True if the catalog says that its changes are queued by these columns, and nothing keeps them from it.
bool is_captured(const need &one) {
    return !pg::query("SELECT FROM etl.captured_source WHERE source::oid = $1 AND by_lid >= $2::boolean AND by_account >= "
                      "$3::boolean",
                      {pg::oid(one.source), as_text(one.by_lid), as_text(one.by_account)})
                .empty() &&
           !watch::fault_of(watch::capture_of(one.source));
}

void capture_source(const need &one) {
    const watch::watched source = watch::capture_of(one.source);
    // Nobody writes from here on until the transaction ends.
    pg::execute(pg::format("LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", pg::relation_name(one.source).c_str()));
    const bool known =
        pg::execute("UPDATE etl.captured_source SET by_lid = by_lid OR $2::boolean, by_account = by_account OR $3::boolean"
                    " WHERE source::oid = $1",
                    {pg::oid(one.source), as_text(one.by_lid), as_text(one.by_account)}) == 1;
    if (known)
        watch::follow(source);
    else
        pg::execute("INSERT INTO etl.captured_source (source, by_lid, by_account) VALUES ($1, $2::boolean, $3::boolean)",
                    {pg::regclass(one.source), as_text(one.by_lid), as_text(one.by_account)});
    watch::attach_missing(source);
    pg::execute("SELECT etl.begin_capture($1)", {pg::oid(one.source)});
    if (const auto fault = watch::fault_of(source))
        throw error("55000", pg::view(pg::format("source %s can't be watched", pg::relation_name(one.source).c_str())),
                    pg::view(*fault));
}

void forget_source(Oid source) {
    watch::detach_all(watch::capture_of(source));
    for (const char *statement : {"DELETE FROM etl.captured_relation WHERE source::oid = $1",
                                  "DELETE FROM etl.captured_source WHERE source::oid = $1",
                                  "DELETE FROM etl.source_gap WHERE source = $1", "DELETE FROM etl.dirty WHERE source = $1"})
        pg::execute(statement, {pg::oid(source)});
}

// Columns that nobody needs any more are queued no longer: whoever needs them again begins anew.
void narrow_sources() {
    const pg::result rows = pg::query(
        "UPDATE etl.captured_source s SET by_lid = n.by_lid, by_account = n.by_account"
        " FROM (SELECT source, pg_catalog.bool_or(NOT by_account) AS by_lid, pg_catalog.bool_or(by_account) AS by_account"
        "       FROM etl.source_need GROUP BY source) n"
        " WHERE n.source = s.source::oid AND (n.by_lid, n.by_account) <> (s.by_lid, s.by_account) RETURNING s.source::oid");
    for (std::size_t row = 0; row < rows.size(); row++)
        watch::forget_members(watch::capture_of(rows.oid(row, 0)));
}

} // namespace

void watch_sources(const pg::string &name) {
    catalog::lock_definitions();
    const catalog::make of = catalog::get_make(pg::view(name));
    catalog::require_owner(of.owner, pg::view(catalog::in_quotes("make", name)));
    catalog::sources_of(of); // raises where there are none
    pg::catalog_scope as_catalog;
    pg::settings_scope settings;
    settings.set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
    const bool begins = pg::execute("INSERT INTO etl.source_watch (make) VALUES ($1) ON CONFLICT DO NOTHING",
                                    {pg::text(pg::view(name))}) == 1;
    if (begins)
        pg::execute("DELETE FROM etl.consumed c USING etl.source_need n WHERE n.make = $1 AND c.partition = n.partition",
                    {pg::text(pg::view(name))});
    const pg::vector<need> needs = needs_of(name);
    for (const need &one : needs) {
        require_trigger_right(of, one.source);
        watch::require_tables(watch::capture_of(one.source),
                              "Let the make do without: syncs find what has changed by the column modified.");
        require_account_key(one);
    }
    const watch::own_ddl mark;
    bool anew = false;
    for (const need &one : needs) {
        if (is_captured(one))
            continue;
        capture_source(one);
        anew = true;
    }
    // In a copy the number is of another cluster.
    if (anew)
        pg::execute("UPDATE etl.source_watch SET xid = pg_catalog.pg_current_xact_id() WHERE make = $1",
                    {pg::text(pg::view(name))});
}

void unwatch_sources(const pg::string &name) {
    catalog::lock_definitions();
    const catalog::make of = catalog::get_make(pg::view(name));
    catalog::require_owner(of.owner, pg::view(catalog::in_quotes("make", name)));
    release(name);
}

void release(const pg::string &make) {
    pg::catalog_scope as_catalog;
    if (pg::execute("DELETE FROM etl.source_watch WHERE make = $1", {pg::text(pg::view(make))}) == 1)
        release_unneeded();
}

void release_unneeded() {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query("SELECT s.source::oid FROM etl.captured_source s WHERE NOT EXISTS"
                                      " (SELECT FROM etl.source_need n WHERE n.source = s.source::oid) ORDER BY 1");
    pg::settings_scope settings;
    settings.set("lock_timeout", pg::format("%dms", publish_lock_timeout).c_str());
    const watch::own_ddl mark;
    for (std::size_t row = 0; row < rows.size(); row++)
        forget_source(rows.oid(row, 0));
    narrow_sources();
    pg::execute("DELETE FROM etl.consumed c WHERE NOT EXISTS"
                " (SELECT FROM etl.source_need n WHERE n.partition = c.partition)");
}

void warn_uncaptured(const pg::string &make) {
    pg::string fault;
    {
        pg::catalog_scope as_catalog;
        const pg::result rows = pg::query("SELECT fault FROM etl.source_fault WHERE make = $1 AND fault IS NOT NULL"
                                          " ORDER BY fault COLLATE \"C\" LIMIT 1",
                                          {pg::text(pg::view(make))});
        if (rows.empty())
            return;
        fault = rows.text(0, 0);
    }
    pg::warning(pg::view(pg::format("changes of sources of make \"%s\" are not captured: %s", make.c_str(), fault.c_str())),
                "Its syncs compare all rows until etl_watch_sources() is called again.");
}

} // namespace etl::capture
