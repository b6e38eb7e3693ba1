// C++ regime: statistics of a mart that a run has filled.
#include "mart/mart.hpp"

#include "mart/name.hpp"
#include "mart/table.hpp"
#include "pg/analyze.hpp"
#include "settings.hpp"

namespace etl::mart {

namespace {

// ANALYZE of a list of columns does not count as the table's, so autovacuum still comes, at its leisure and with the target
// that is set for the table. Only ANALYZE of the whole table gathers statistics of what indexes compute: no list then.
pg::string columns_of(const table &mart, bool all) {
    const pg::result rows = pg::query(
        "SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = $1"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1 AND i.indexprs IS NOT NULL)"
        " AND ($2 OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1 AND a.attnum = ANY (i.indkey)))",
        {pg::oid(mart.oid), pg::boolean(all)});
    return rows.is_null(0, 0) ? pg::string() : " (" + rows.text(0, 0) + ")";
}

struct way {
    int target; // below 1: default_statistics_target
    pg::string statement;
};

// Readers wait for a partition's first statistics: those of columns that have an index, and where autovacuum will refine
// them, less of them will do.
way way_for(const table &mart, const table &partition, bool all) {
    pg::string columns = statistics_target < 1 ? pg::string() : columns_of(mart, all);
    if (columns.empty() && statistics_target >= 1)
        columns = columns_of(mart, true);
    return {columns.empty() ? statistics_target : std::max(statistics_target * 2 / 5, 1),
            "ANALYZE " + partition.quoted() + columns};
}

// Of columns that have no target of their own.
void set_target(pinned_settings &settings, int target) {
    if (target >= 1)
        settings.set("default_statistics_target", pg::format("%d", target).c_str());
}

} // namespace

pg::string analyze_statement(Oid mart_oid, std::string_view portal, std::int64_t run) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    table staging = mart;
    staging.name = staging_name(mart, portal, run);
    const way chosen = way_for(mart, staging, false);
    const pg::string target =
        chosen.target < 1 ? pg::string() : pg::format("/* default_statistics_target %d */ ", chosen.target);
    return target + chosen.statement;
}

void analyze_staging(Oid mart, Oid staging) {
    pinned_settings settings;
    const way chosen = way_for(read_table(mart, "mart"), read_table(staging, "staging table"), false);
    set_target(settings, chosen.target);
    pg::execute(chosen.statement);
}

void analyze_mart(Oid mart_oid, const pg::vector<partition> &filled) {
    const table mart = read_table(mart_oid, "mart");
    for (const partition &each : filled) {
        pinned_settings settings;
        const table held = read_table(each.staging, "partition");
        const way chosen = way_for(mart, held, true);
        if (chosen.statement == way_for(mart, held, false).statement)
            continue; // gathered before
        set_target(settings, chosen.target);
        pg::execute(chosen.statement);
    }
    pinned_settings settings;
    set_target(settings, statistics_target);
    pg::analyze_without_partitions(mart.oid);
}

} // namespace etl::mart
