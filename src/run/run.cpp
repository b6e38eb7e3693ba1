// C++ regime: reading runs.
#include "run/run.hpp"

#include "pg/identity.hpp"

namespace etl::run {

pg::string this_cluster() {
    return pg::format("(system_identifier = " INT64_FORMAT " AND database = %u)", pg::system_identifier(),
                      pg::current_database());
}

std::optional<record> find(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        pg::kept(pg::format("SELECT run_id, kind, make, portal, state, owner::oid, workers, definition, %s FROM etl.run"
                            " WHERE run_id = $1",
                            this_cluster().c_str())),
        {pg::int8(run_id)});
    if (rows.empty())
        return std::nullopt;
    return record{rows.int8(0, 0),   rows.text(0, 1), rows.optional_text(0, 2),          rows.optional_text(0, 3),
                  rows.text(0, 4),   rows.oid(0, 5),  static_cast<int>(rows.int8(0, 6)), rows.text(0, 7),
                  rows.boolean(0, 8)};
}

record get(std::int64_t run_id) {
    std::optional<record> found = find(run_id);
    if (!found)
        throw error("42704", pg::view(pg::format("run " INT64_FORMAT " does not exist", run_id)), {},
                    "The view etl_runs lists the runs that you may see.");
    catalog::require_owner(found->owner, pg::view(pg::format("run " INT64_FORMAT, run_id)));
    return *std::move(found);
}

pg::vector<shape> shape_of(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query("SELECT p.portal, pg_catalog.count(t.run_id), p.estimated_rows, r.state FROM etl.run r"
                  " JOIN etl.run_portal p USING (run_id)"
                  " LEFT JOIN etl.task t ON t.run_id = r.run_id AND t.portal = p.portal"
                  "  AND t.kind = CASE r.kind WHEN 'fold' THEN 'fold' WHEN 'seed' THEN 'load' ELSE r.kind END"
                  " WHERE r.run_id = $1 GROUP BY p.portal, p.estimated_rows, r.state ORDER BY p.portal COLLATE \"C\"",
                  {pg::int8(run_id)});
    pg::vector<shape> shapes;
    for (std::size_t row = 0; row < rows.size(); row++)
        shapes.push_back({run_id, rows.text(row, 0), static_cast<std::int32_t>(rows.int8(row, 1)), rows.int8(row, 2),
                          rows.text(row, 3)});
    return shapes;
}

pg::string task_title(const record &run, const pg::string &kind, const std::optional<pg::string> &portal,
                      const plan::lid_range &range) {
    pg::string title = run.make ? *run.make : pg::string("prices");
    if (portal)
        title.append(" ").append(*portal);
    if (kind == "load" || kind == "fold" || kind == "verify") {
        title.append(range.from ? pg::format(" [" INT64_FORMAT ", ", *range.from) : pg::string(" (, "));
        title.append(range.to ? pg::format(INT64_FORMAT ")", *range.to) : pg::string(")"));
    } else {
        title.append(" ").append(kind);
    }
    return title;
}

} // namespace etl::run
