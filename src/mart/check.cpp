// C++ regime: the last look at a loaded staging table, after which attaching it is a matter of the catalog alone.
#include "mart/mart.hpp"

#include "mart/indexes.hpp"
#include "mart/old.hpp"

namespace etl::mart {

namespace {

pg::string count_statement(const table &staging) {
    return "SELECT count(*) FROM ONLY " + staging.quoted();
}

void require_rows(const table &staging, const row_counts &rows) {
    if (rows.found)
        return;
    const std::int64_t found = pg::query(count_statement(staging)).int8(0, 0);
    if (found != rows.written)
        throw error(
            "XX001",
            pg::view(pg::format("staging table %s holds %lld rows, but its chunks wrote %lld", staging.quoted().c_str(),
                                static_cast<long long>(found), static_cast<long long>(rows.written))),
            "Rows were lost, or somebody wrote to the table.", "Cancel the run with etl_cancel and seed anew.");
}

// A foreign key of the mart would else be added, and checked, while the mart is locked.
void add_foreign_keys(const table &mart, const table &staging) {
    const pg::result rows =
        pg::query("SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint k"
                  " WHERE conrelid = $1 AND contype = 'f' AND NOT EXISTS (SELECT FROM pg_constraint o"
                  " WHERE o.conrelid = $2 AND o.conname = k.conname) ORDER BY conname",
                  {pg::oid(mart.oid), pg::oid(staging.oid)});
    for (std::size_t row = 0; row < rows.size(); row++)
        pg::execute("ALTER TABLE " + staging.quoted() + " ADD CONSTRAINT " +
                    pg::quote_identifier(pg::view(rows.text(row, 0))) + " " + rows.text(row, 1));
}

} // namespace

pg::string check_statement(Oid mart_oid, std::string_view portal, std::int64_t run) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    table staging = mart;
    staging.name = staging_name(mart, portal, run);
    return constraint_statements(mart, staging, portal, run) + count_statement(staging);
}

void check_staging(Oid mart_oid, std::string_view portal, std::int64_t run, Oid staging_oid, const row_counts &rows) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    const table staging = read_table(staging_oid, "staging table");
    if (!has_portal_constraint(staging.oid)) // a run that an earlier version began
        pg::execute(portal_constraint_statement(mart, staging, portal));
    require_rows(staging, rows);
    // The constraints of what the index tasks have built, and indexes that the mart has got since the run was planned.
    build_missing_indexes(mart, staging, pg::view(partition_name(mart, portal)),
                          pg::view(pg::format("_r%lld", static_cast<long long>(run))));
    add_foreign_keys(mart, staging);
}

} // namespace etl::mart
