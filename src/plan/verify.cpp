// C++ regime: the tasks of a verification.
#include "plan/tasks.hpp"

#include "pg/identity.hpp"

namespace etl::plan {

pg::vector<noted_range> noted_ranges(Oid partition) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query("SELECT lid_from, lid_to, rows FROM etl.digest WHERE relation = $1"
                                      " ORDER BY lid_from NULLS FIRST",
                                      {pg::regclass(partition)});
    pg::vector<noted_range> ranges;
    for (std::size_t row = 0; row < rows.size(); row++)
        ranges.push_back({{rows.optional_int8(row, 0), rows.optional_int8(row, 1)}, rows.int8(row, 2)});
    return ranges;
}

pg::vector<planned_task> plan_verification(const catalog::make &make, const catalog::source &source, Oid partition) {
    pg::vector<planned_task> tasks;
    for (const noted_range &noted : noted_ranges(partition)) {
        planned_task task = task_of(phase::verify, "verify", source.portal);
        task.range = noted.range;
        task.estimated_rows = noted.rows;
        tasks.push_back(std::move(task));
    }
    if (!tasks.empty())
        return tasks;
    pg::owner_scope as_owner(make.owner);
    tasks = plan_comparison(make, source, partition, {});
    for (planned_task &task : tasks) {
        task.phase = phase::verify;
        task.kind = "verify";
    }
    return tasks;
}

} // namespace etl::plan
