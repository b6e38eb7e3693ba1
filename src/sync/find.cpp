// C++ regime.
#include "sync/find.hpp"

#include "capture/captured.hpp"
#include "pg/clock.hpp"
#include "pg/identity.hpp"
#include "settings.hpp"
#include "sync/conversions.hpp"
#include "sync/rate_sets.hpp"
#include "sync/sources.hpp"

#include <algorithm>

namespace etl::sync {

namespace {

// Where more than this share of the partition's rows may have changed, comparing all in order of lid is cheaper.
constexpr double most_share = 0.25;
constexpr std::int64_t always_few = 10000, most_lids = 2000000;

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
    if (all.queries.empty() && all.direct.empty() && emptied->empty())
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
