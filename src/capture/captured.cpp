// C++ regime: reading the queue.
#include "capture/captured.hpp"

#include "capture/account_key.hpp"
#include "catalog/terminal.hpp"

namespace etl::capture {

namespace {

bool is_watched(const catalog::make &make) {
    return !pg::query(pg::kept("SELECT FROM etl.source_watch WHERE make = $1"), {pg::text(pg::view(make.name))})
                .empty();
}

// Some faults come without DDL of which event triggers are told.
void note_faults(Oid partition) {
    pg::query("SELECT etl.note_source_fault(s.source) FROM etl.captured_source s WHERE s.source::oid IN"
              " (SELECT n.source FROM etl.source_need n WHERE n.partition = $1)",
              {pg::oid(partition)});
}

bool has_accounts(Oid partition) {
    return !pg::query("SELECT FROM etl.source_need n JOIN etl.consumed c ON c.partition = n.partition"
                      " JOIN etl.dirty d ON d.source = n.source AND d.by_account"
                      " AND NOT pg_catalog.pg_visible_in_snapshot(d.xid, c.snapshot)"
                      " WHERE n.partition = $1 AND n.by_account LIMIT 1",
                      {pg::oid(partition)})
                .empty();
}

// A mapping's lids are those of all portals: a view may give rows of it that have no listing, so none is left out.
pg::string changed_lids(Oid partition) {
    return pg::format("SELECT k.key AS lid FROM etl.captured_key k WHERE k.partition = %u AND NOT k.by_account",
                      partition);
}

// Listings of customers that have changed, or were there: as the sources have it, and as the mart does.
pg::string lids_of_accounts(const catalog::make &make, const catalog::portal &portal, Oid relation, Oid partition) {
    const std::optional<pg::string> terminal = catalog::is_terminal(make, pg::view(portal.name), "r.lid");
    return pg::format(" UNION ALL SELECT r.lid FROM %s r WHERE r.acc_id IN"
                      " (SELECT k.key FROM etl.captured_key k WHERE k.partition = %u AND k.by_account)%s%s",
                      pg::relation_name(relation).c_str(), partition, terminal ? " AND NOT " : "",
                      terminal ? terminal->c_str() : "");
}

} // namespace

captured find_captured(const catalog::make &make, const catalog::portal &portal, Oid partition) {
    pg::catalog_scope as_catalog;
    captured found{};
    if (!is_watched(make))
        return found;
    note_faults(partition);
    found.compare = pg::query("SELECT etl.capture_gap($1)", {pg::oid(partition)}).optional_text(0, 0);
    if (found.compare)
        return found;
    found.lids = changed_lids(partition);
    if (!has_accounts(partition))
        return found;
    if (!has_account_key(portal.listing)) {
        found.compare = "customers have changed, and listings have no column acc_id of an integer type";
        return found;
    }
    found.lids += lids_of_accounts(make, portal, portal.listing, partition);
    if (has_account_key(partition))
        found.lids += lids_of_accounts(make, portal, partition, partition);
    return found;
}

void consume(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    pg::query("SELECT etl.consume_captured(r.run_id) FROM etl.run r JOIN etl.source_watch w ON w.make = r.make"
              " WHERE r.run_id = $1",
              {pg::int8(run_id)});
}

} // namespace etl::capture
