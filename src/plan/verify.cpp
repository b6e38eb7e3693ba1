// C++ regime: the tasks of a verification.
#include "plan/tasks.hpp"

#include "pg/identity.hpp"

namespace etl::plan {

pg::vector<planned_task> plan_verification(const catalog::make &make, const catalog::source &source, Oid partition) {
    pg::vector<planned_task> tasks;
    {
        pg::catalog_scope as_catalog;
        const pg::result ranges = pg::query("SELECT lid_from, lid_to, rows FROM etl.digest WHERE relation = $1"
                                            " ORDER BY lid_from NULLS FIRST",
                                            {pg::regclass(partition)});
        for (std::size_t row = 0; row < ranges.size(); row++) {
            planned_task task = task_of(phase::verify, "verify", source.portal);
            task.range = {ranges.optional_int8(row, 0), ranges.optional_int8(row, 1)};
            task.estimated_rows = ranges.int8(row, 2);
            tasks.push_back(std::move(task));
        }
    }
    if (!tasks.empty())
        return tasks;
    pg::owner_scope as_owner(make.owner);
    tasks = plan_comparison(make, source, {});
    for (planned_task &task : tasks) {
        task.phase = phase::verify;
        task.kind = "verify";
    }
    return tasks;
}

} // namespace etl::plan
