// C++ regime: the tasks of a plan, as rows.
#include "run/request.hpp"

namespace etl::run {

namespace {

// As the text of an array, or NULL where there are none.
std::optional<pg::string> text_of(const pg::vector<std::int64_t> &cuts) {
    if (cuts.empty())
        return std::nullopt;
    pg::string text;
    for (const std::int64_t cut : cuts)
        text += pg::format("%c" INT64_FORMAT, text.empty() ? '{' : ',', cut);
    return text + "}";
}

} // namespace

// Two that add at once may choose the same number: the second waits for the first and chooses again.
void add_tasks(std::int64_t run_id, const pg::vector<plan::planned_task> &tasks) {
    for (const plan::planned_task &task : tasks)
        while (
            pg::execute(
                pg::kept(
                    "INSERT INTO etl.task (run_id, task_no, phase, kind, portal, lid_from, lid_to, parent_index,"
                    " estimated_rows, cuts, lids) VALUES ($1, (SELECT COALESCE(pg_catalog.max(o.task_no), 0) + 1"
                    " FROM etl.task o WHERE o.run_id = $1), $2::smallint, $3, $4, $5, $6, $7, $8, $9::bigint[], $10)"
                    " ON CONFLICT DO NOTHING"),
                {pg::int8(run_id), pg::int4(static_cast<int>(task.phase)), pg::text(task.kind), pg::text(task.portal),
                 pg::int8(task.range.from), pg::int8(task.range.to), pg::oid(task.parent_index.value_or(InvalidOid)),
                 pg::int8(task.estimated_rows), pg::text(text_of(task.cuts)),
                 task.lids ? pg::int8_array(*task.lids) : pg::null_of(pg::int8_array({}).type)}) == 0) {
        }
}

} // namespace etl::run
