// C++ regime.
#include "fold/reading.hpp"

#include "fold/pages.hpp"
#include "kernel/state_map.hpp"
#include "pg/spi.hpp"
#include "settings.hpp"

#include <cmath>
#include <cstdlib>

namespace etl::fold {

namespace {

// From this on, the pages of a range of lids are few more than its share of the log.
constexpr double ordered = 0.95;
// Ranges are never quite equal.
constexpr double filled = 0.9;

struct statistics {
    bool known = false;
    double rows = 0;
    double lids = 0;
    double correlation = 0;
};

double number(const pg::string &text) {
    return std::strtod(text.c_str(), nullptr);
}

statistics statistics_of(Oid prices) {
    const pg::result found = pg::query(
        "SELECT greatest(c.reltuples, 0)::text, s.n_distinct::text, coalesce(s.correlation, 0)::text"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'lid'"
        " AND s.inherited = (c.relkind = 'p') WHERE c.oid = $1",
        {pg::oid(prices)});
    if (found.empty())
        return {};
    statistics of{true, number(found.text(0, 0)), number(found.text(0, 1)), number(found.text(0, 2))};
    // Below zero it is a share of the rows.
    of.lids = of.lids < 0 ? -of.lids * of.rows : of.lids;
    return of;
}

} // namespace

double lids_in_memory() noexcept {
    return fold_memory * 1024.0 / kernel::state_map::bytes_a_state * filled;
}

reading choose_reading(Oid prices, Oid price_state) {
    const page_access access = pg::call([=] { return access_of(prices, price_state); });
    if (access.obstacle)
        return {way_to_read::statement, pg::format("in SQL, as %s", access.obstacle), 0, 0};
    const statistics of = statistics_of(prices);
    const char *unit = "events lie in order of arrival";
    if (access.has_index && of.known && std::fabs(of.correlation) >= ordered)
        return {way_to_read::index,
                pg::format("by index, as the log is ordered by lid (correlation %.2f)", of.correlation), of.rows,
                of.lids};
    if (!of.known)
        unit = "statistics of lid are missing";
    else if (std::fabs(of.correlation) >= ordered)
        unit = "no index has lid first";
    return {way_to_read::scan,
            pg::format("by scans of the whole log, as %s%s", unit,
                       of.known ? pg::format(" (correlation of lid %.2f)", of.correlation).c_str() : ""),
            of.rows, of.lids};
}

} // namespace etl::fold
