// C++ regime.
#include "sync/sources.hpp"

#include "catalog/terminal.hpp"
#include "pg/identity.hpp"
#include "pg/written.hpp"

#include <algorithm>

namespace etl::sync {

namespace {

// Pages that are worth another worker: some ten milliseconds.
constexpr std::int64_t much_to_read = 2000;

// The mapping has the lids of all portals, of which only those matter that are this portal's or were. A view that gives
// rows without a listing doesn't tell them apart.
pg::string only_of_portal(const touching &listing, Oid partition) {
    return pg::format(
        " AND (EXISTS (SELECT FROM %s l WHERE l.%s = q.lid) OR EXISTS (SELECT FROM %s p WHERE p.lid = q.lid))",
        pg::relation_name(listing.relation).c_str(), pg::quote_identifier(listing.needed).c_str(),
        pg::relation_name(partition).c_str());
}

// Whether nothing was written to the relation since the position; else counts what is to be read.
bool is_unwritten(Oid relation, std::optional<std::uint64_t> position, collected &all) {
    const std::optional<std::int64_t> pages = pg::pages_to_search(relation, "modified");
    constexpr std::int64_t worth_an_index = 64;
    if (position && pg::is_unwritten_since(relation, *position, std::max(pages.value_or(0), worth_an_index)))
        return true;
    all.much = all.much || !pages || *pages > much_to_read;
    return false;
}

} // namespace

void add(collected &to, const pg::string &query) {
    to.queries += (to.queries.empty() ? "" : " UNION ALL ") + query;
}

pg::string unless_terminal(const catalog::make &make, const catalog::portal &portal, const char *lid) {
    const std::optional<pg::string> terminal = catalog::is_terminal(make, pg::view(portal.name), lid);
    return terminal ? pg::format(" AND NOT %s", terminal->c_str()) : pg::string();
}

collected from_sources(const catalog::make &make, const catalog::portal &portal, const catalog::source &source,
                       Oid partition, std::optional<std::uint64_t> position) {
    struct copied {
        const touching *each;
        int count;
        const char *obstacle;
    };
    const copied found = pg::call([&source] {
        const touched_lids touched = find_touched(source.view);
        const int count = list_length(touched.relations);
        touching *each = static_cast<touching *>(::palloc(sizeof(touching) * static_cast<std::size_t>(count + 1)));
        for (int i = 0; i < count; i++)
            each[i] = *static_cast<const touching *>(::list_nth(touched.relations, i));
        return copied{each, count, touched.obstacle};
    });
    collected all;
    if (found.obstacle) {
        all.obstacle = found.obstacle;
        return all;
    }
    const touching *const end = found.each + found.count;
    const touching *const listing = std::find_if(
        found.each, end, [&portal](const touching &one) { return one.relation == portal.listing && one.needed; });
    for (int i = 0; i < found.count; i++) {
        // What changed at whatever time of a day may have its date alone, and the writer's day may be another than
        // ours.
        pg::string query = pg::format("SELECT q.lid FROM (%s) q WHERE (q.modified >= %s OR q.modified IS NULL)",
                                      found.each[i].query, found.each[i].zoneless ? "$1::pg_catalog.date - 1" : "$1");
        const bool is_old = is_unwritten(found.each[i].relation, position, all);
        if (is_old && pg::may_read_all(found.each[i].relation))
            continue;
        if (is_old)
            query += " AND false"; // a right that is missing is an error still
        const bool of_all_portals = found.each[i].relation == make.mapping && listing != end;
        if (of_all_portals)
            query += only_of_portal(*listing, partition);
        // Rows that are not expected to change are looked at if they are said to have changed themselves.
        if (found.each[i].fans_out)
            query += unless_terminal(make, portal, "q.lid");
        if (found.each[i].key && !found.each[i].zoneless && !is_old)
            all.direct.push_back({{found.each[i].relation, found.each[i].key, "modified"},
                                  of_all_portals ? std::optional(*listing) : std::nullopt,
                                  query});
        else
            add(all, query);
    }
    return all;
}

pg::vector<std::int64_t> read_directly(collected &all, Oid partition, std::int64_t since,
                                       std::optional<std::uint64_t> position) {
    pg::vector<std::int64_t> found;
    for (const direct_read &each : all.direct)
        if (!add_recent(found, each, partition, since, position))
            add(all, each.query);
    return found;
}

} // namespace etl::sync
