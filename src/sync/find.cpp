// C++ regime.
#include "sync/find.hpp"

#include "capture/captured.hpp"
#include "catalog/terminal.hpp"
#include "pg/clock.hpp"
#include "pg/identity.hpp"
#include "pg/written.hpp"
#include "settings.hpp"
#include "sync/conversions.hpp"
#include "sync/direct.hpp"
#include "sync/rate_sets.hpp"
#include "sync/touched.hpp"

#include <algorithm>

namespace etl::sync {

namespace {

// Where more than this share of the partition's rows may have changed, comparing all in order of lid is cheaper.
constexpr double most_share = 0.25;
// Pages that are worth another worker: some ten milliseconds.
constexpr std::int64_t much_to_read = 2000;
constexpr std::int64_t always_few = 10000, most_lids = 2000000;

struct collected {
    pg::vector<direct_read> direct;
    pg::string queries; // each SELECT lid, with $1 for the time
    std::optional<pg::string> obstacle;
    bool much = false; // whether what they read is more than a few pages
};

void add(collected &to, const pg::string &query) {
    to.queries += (to.queries.empty() ? "" : " UNION ALL ") + query;
}

// The mapping has the lids of all portals, of which only those matter that are this portal's or were. A view that gives
// rows without a listing doesn't tell them apart.
pg::string only_of_portal(const touching &listing, Oid partition) {
    return pg::format(
        " AND (EXISTS (SELECT FROM %s l WHERE l.%s = q.lid) OR EXISTS (SELECT FROM %s p WHERE p.lid = q.lid))",
        pg::relation_name(listing.relation).c_str(), pg::quote_identifier(listing.needed).c_str(),
        pg::relation_name(partition).c_str());
}

// Rows that are not expected to change are looked at if they are said to have changed themselves.
pg::string unless_terminal(const catalog::make &make, const catalog::portal &portal, const char *lid) {
    const std::optional<pg::string> terminal = catalog::is_terminal(make, pg::view(portal.name), lid);
    return terminal ? pg::format(" AND NOT %s", terminal->c_str()) : pg::string();
}

// The condition that finds nothing in a relation which holds nothing new, without reading its rows; the query stays, so
// that rights are checked as ever.
pg::string unless_unwritten(Oid relation, std::optional<std::uint64_t> position, collected &all) {
    const std::optional<std::int64_t> pages = pg::pages_to_search(relation, "modified");
    if (pages && *pages > 0 && position && pg::is_unwritten_since(relation, *position))
        return pg::string(" AND false");
    all.much = all.much || !pages || *pages > much_to_read;
    return {};
}

// position: of the write-ahead log, before which nothing new can have been written.
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
        const pg::string unwritten = unless_unwritten(found.each[i].relation, position, all);
        query += unwritten;
        const bool of_all_portals = found.each[i].relation == make.mapping && listing != end;
        if (of_all_portals)
            query += only_of_portal(*listing, partition);
        if (found.each[i].fans_out)
            query += unless_terminal(make, portal, "q.lid");
        if (found.each[i].key && !found.each[i].zoneless && unwritten.empty())
            all.direct.push_back({{found.each[i].relation, found.each[i].key, "modified"},
                                  of_all_portals ? std::optional(*listing) : std::nullopt,
                                  query});
        else
            add(all, query);
    }
    return all;
}

// Adds the rows that were converted with rates which have changed; returns the set of rates that there is now.
std::optional<std::int64_t> from_rates(collected &to, const catalog::make &make, const catalog::portal &portal,
                                       const catalog::source &source, const standing &held) {
    struct copied {
        bool any;
        bool hidden;
        const char *obstacle;
        char **conditions;
        int count;
    };
    const copied found = pg::call([&] {
        const conversions all = find_conversions(source.view, held.partition);
        const int count = list_length(all.conditions);
        char **conditions = static_cast<char **>(::palloc(sizeof(char *) * static_cast<std::size_t>(count + 1)));
        for (int i = 0; i < count; i++)
            conditions[i] = static_cast<char *>(::list_nth(all.conditions, i));
        return copied{all.any, all.hidden, all.obstacle, conditions, count};
    });
    // Where functions that are called have converted, the chunks have noted it.
    if (!found.any || (found.hidden && held.rates == 0))
        return std::nullopt;
    const std::int64_t now = current_set();
    if (held.rates == now)
        return now;
    if (!held.rates) {
        to.obstacle = "rates changed while its rows were converted";
        return now;
    }
    const changed_rates changed = compare_sets(*held.rates, now);
    if (changed.countries.empty())
        return now;
    if (found.obstacle) {
        to.obstacle = found.obstacle;
        return now;
    }
    const auto literal = [](const pg::value &array, const char *type) {
        return pg::quote_literal(pg::view(pg::query("SELECT $1::text", {array}).text(0, 0))) + "::" + type;
    };
    const pg::string rates = pg::format(
        "(SELECT u.country, u.currency, u.from_day, NULLIF(u.to_day, 'infinity') AS to_day FROM ROWS FROM ("
        "pg_catalog.unnest(%s), pg_catalog.unnest(%s), pg_catalog.unnest(%s), pg_catalog.unnest(%s))"
        " u(country, currency, from_day, to_day)) c",
        literal(pg::text_array(changed.countries), "text[]").c_str(),
        literal(pg::text_array(changed.currencies), "text[]").c_str(),
        literal(pg::text_array(changed.from), "date[]").c_str(), literal(pg::text_array(changed.to), "date[]").c_str());
    for (int i = 0; i < found.count; i++)
        add(to,
            pg::format("SELECT p.lid FROM %s p JOIN %s ON %s WHERE true%s", pg::relation_name(held.partition).c_str(),
                       rates.c_str(), found.conditions[i], unless_terminal(make, portal, "p.lid").c_str()));
    return now;
}

// The lids of what can be read past the executor; the rest is left to queries.
pg::vector<std::int64_t> read_directly(collected &all, Oid partition, std::int64_t since,
                                       std::optional<std::uint64_t> position) {
    pg::vector<std::int64_t> found;
    for (const direct_read &each : all.direct)
        if (!add_recent(found, each, partition, since, position))
            add(all, each.query);
    return found;
}

std::int64_t few_enough(Oid partition) {
    const pg::result rows =
        pg::query(pg::kept("SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = $1"), {pg::oid(partition)});
    const double held = rows.empty() ? 0 : static_cast<double>(rows.int8(0, 0));
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(held * most_share), always_few, most_lids);
}

// The lids that have lost their row of the price state since; empty where all have.
std::optional<pg::vector<std::int64_t>> emptied_since(Oid price_state, const pg::value &time) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        pg::kept(
            "SELECT COALESCE(pg_catalog.bool_or(lid IS NULL), false), COALESCE(pg_catalog.array_agg(DISTINCT lid)"
            " FILTER (WHERE lid IS NOT NULL), '{}') FROM etl.price_emptied WHERE price_state = $1 AND modified >= $2"),
        {pg::regclass(price_state), time});
    if (rows.boolean(0, 0))
        return std::nullopt;
    return rows.optional_int8_array(0, 1);
}

} // namespace

findings find_changes(const catalog::make &make, const catalog::source &source, const standing &held,
                      const std::function<void()> &call_for_help) {
    const catalog::portal portal = catalog::get_portal(pg::view(source.portal));
    collected all = from_sources(make, portal, source, held.partition, held.position);
    findings found;
    found.rates = from_rates(all, make, portal, source, held);
    const capture::captured queued = capture::find_captured(make, portal, held.partition);
    if (!queued.lids.empty())
        add(all, queued.lids);
    const std::int64_t overlapping = held.mark - 1000LL * sync_overlap;
    const pg::value since = pg::timestamptz(overlapping);
    const std::optional<pg::vector<std::int64_t>> emptied = emptied_since(portal.price_state, since);
    found.compare = all.obstacle ? all.obstacle : queued.compare;
    // Other relations, or another template, have rows of which no time of change tells that they are new to the mart.
    if (held.view != source.view)
        found.compare = "its source view was made anew";
    if (!emptied)
        found.compare = "its price state was emptied";
    if (found.compare)
        return found;
    if (all.much)
        call_for_help();
    const std::int64_t few = few_enough(held.partition);
    pg::settings_scope settings;
    settings.set("max_parallel_workers_per_gather", "0"); // the run's workers are the parallelism
    settings.set("jit", "off");
    pg::vector<std::int64_t> lids = read_directly(all, held.partition, overlapping, held.position);
    lids.insert(lids.end(), emptied->begin(), emptied->end());
    const pg::string others = all.queries.empty() ? "" : " UNION ALL " + all.queries;
    const pg::result rows = pg::query("SELECT DISTINCT a.lid FROM (SELECT pg_catalog.unnest($2) AS lid" + others +
                                          ") a WHERE a.lid IS NOT NULL AND $1 IS NOT NULL ORDER BY 1 LIMIT $3",
                                      {since, pg::int8_array(lids), pg::int8(few + 1)});
    if (static_cast<std::int64_t>(rows.size()) > few) {
        found.compare = "much has changed";
        return found;
    }
    for (std::size_t row = 0; row < rows.size(); row++)
        found.lids.push_back(rows.int8(row, 0));
    return found;
}

pg::vector<std::int64_t> changed_of(const catalog::make &make, const catalog::source &source, const standing &held,
                                    const pg::vector<std::int64_t> &lids) {
    const catalog::portal portal = catalog::get_portal(pg::view(source.portal));
    collected all = from_sources(make, portal, source, held.partition, std::nullopt);
    (void)from_rates(all, make, portal, source, held);
    if (const capture::captured queued = capture::find_captured(make, portal, held.partition); !queued.lids.empty())
        add(all, queued.lids);
    const pg::value since = pg::timestamptz(held.mark);
    const std::optional<pg::vector<std::int64_t>> emptied = emptied_since(portal.price_state, since);
    if (!emptied)
        return lids;
    pg::vector<std::int64_t> recent = read_directly(all, held.partition, held.mark, std::nullopt);
    recent.insert(recent.end(), emptied->begin(), emptied->end());
    const pg::string others = all.queries.empty() ? "" : " UNION ALL " + all.queries;
    const pg::result rows = pg::query("SELECT DISTINCT a.lid FROM (SELECT pg_catalog.unnest($2) AS lid" + others +
                                          ") a WHERE a.lid = ANY ($3) AND $1 IS NOT NULL ORDER BY 1",
                                      {since, pg::int8_array(recent), pg::int8_array(lids)});
    pg::vector<std::int64_t> changed;
    for (std::size_t row = 0; row < rows.size(); row++)
        changed.push_back(rows.int8(row, 0));
    return changed;
}

} // namespace etl::sync
