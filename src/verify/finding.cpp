// C++ regime.
#include "verify/finding.hpp"

#include "pg/identity.hpp"

namespace etl::verify {

void keep(std::int64_t run_id, std::int32_t task_no, const pg::vector<finding> &found) {
    pg::catalog_scope as_catalog;
    for (const finding &one : found)
        pg::execute("INSERT INTO etl.difference (run_id, task_no, lid, column_name, mart_value, source_value)"
                    " VALUES ($1, $2, $3, $4, $5, $6)",
                    {pg::int8(run_id), pg::int4(task_no), pg::int8(one.lid), pg::text(one.column),
                     pg::text(one.mart_value), pg::text(one.source_value)});
}

pg::vector<kept_finding> findings_of(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query("SELECT t.portal, t.lid_from, t.lid_to, d.lid, d.column_name, d.mart_value, d.source_value FROM "
                  "etl.difference d"
                  " JOIN etl.task t USING (run_id, task_no) WHERE d.run_id = $1"
                  " ORDER BY t.portal COLLATE \"C\", t.lid_from NULLS FIRST, t.task_no, d.lid, d.difference_id",
                  {pg::int8(run_id)});
    pg::vector<kept_finding> found;
    for (std::size_t row = 0; row < rows.size(); row++)
        found.push_back({rows.text(row, 0),
                         {rows.optional_int8(row, 1), rows.optional_int8(row, 2)},
                         {rows.optional_int8(row, 3), rows.optional_text(row, 4), rows.optional_text(row, 5),
                          rows.optional_text(row, 6)}});
    return found;
}

} // namespace etl::verify
