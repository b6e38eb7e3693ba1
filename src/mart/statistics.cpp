// C++ regime: statistics of a mart that a run has filled.
#include "mart/mart.hpp"

#include "mart/name.hpp"
#include "mart/table.hpp"
#include "pg/analyze.hpp"
#include "settings.hpp"

namespace etl::mart {

namespace {

// ANALYZE of a list of columns does not count as the table's, so autovacuum still comes, at its leisure and with the target
// that is set for the table. Only ANALYZE of the whole table gathers statistics of what indexes compute.
pg::string columns_of(const table &mart) {
    const pg::result rows = pg::query(
        "SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = $1"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1 AND i.indexprs IS NOT NULL)",
        {pg::oid(mart.oid)});
    return rows.is_null(0, 0) ? pg::string() : " (" + rows.text(0, 0) + ")";
}

pg::string statement(const table &mart, const table &staging) {
    return "ANALYZE " + staging.quoted() + (statistics_target < 1 ? pg::string() : columns_of(mart));
}

// Of columns that have no target of their own.
void set_target(pinned_settings &settings) {
    if (statistics_target >= 1)
        settings.set("default_statistics_target", pg::format("%d", statistics_target).c_str());
}

} // namespace

pg::string analyze_statement(Oid mart_oid, std::string_view portal, std::int64_t run) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    table staging = mart;
    staging.name = staging_name(mart, portal, run);
    const pg::string target =
        statistics_target < 1 ? pg::string() : pg::format("/* default_statistics_target %d */ ", statistics_target);
    return target + statement(mart, staging);
}

void analyze_staging(Oid mart, Oid staging) {
    pinned_settings settings;
    set_target(settings);
    pg::execute(statement(read_table(mart, "mart"), read_table(staging, "staging table")));
}

void analyze_mart(Oid mart) {
    pinned_settings settings;
    set_target(settings);
    pg::analyze_without_partitions(mart);
}

} // namespace etl::mart
