// C++ regime: index tasks of a portal that one worker does at once.
#include "run/together.hpp"

#include "pg/lock.hpp"
#include "settings.hpp"

namespace etl::run {

namespace {

// How many of the portal's index tasks that wait, `wanted` among them, a worker does: others may be free to do the
// rest.
std::int64_t share_of(const record &run, const task &wanted) {
    const pg::result found =
        pg::query("SELECT pg_catalog.count(*) FILTER (WHERE kind = 'index' AND portal = $2 AND state = 'waiting'),"
                  " pg_catalog.count(*) FILTER (WHERE state = 'running' OR kind IN ('fold', 'load')),"
                  " pg_catalog.count(DISTINCT portal) FILTER (WHERE kind = 'index' AND portal <> $2 AND state = "
                  "'waiting') FROM etl.task"
                  " WHERE run_id = $1 AND state <> 'done'",
                  {pg::int8(run.run_id), pg::text(pg::view(*wanted.portal))});
    const std::int64_t waiting = found.int8(0, 0), workers = std::min(run.workers, max_workers);
    const std::int64_t sharers = std::max<std::int64_t>(workers - found.int8(0, 1) - found.int8(0, 2), 1);
    return (waiting + sharers - 1) / sharers;
}

} // namespace

void take_together(const record &run, task &wanted) {
    if (wanted.kind != "index" || wanted.attempt > 1)
        return;
    const pg::result found =
        pg::query("SELECT task_no, parent_index::oid FROM etl.task WHERE run_id = $1 AND kind = 'index' AND portal = $2"
                  " AND state = 'waiting' AND attempts = 0 AND task_no <> $3 ORDER BY task_no LIMIT $4"
                  " FOR UPDATE SKIP LOCKED",
                  {pg::int8(run.run_id), pg::text(pg::view(*wanted.portal)), pg::int4(wanted.task_no),
                   pg::int8(share_of(run, wanted) - 1)});
    wanted.together.reserve(found.size());
    for (std::size_t row = 0; row < found.size(); row++) {
        const auto task_no = static_cast<std::int32_t>(found.int8(row, 0));
        if (pg::try_lock(lock_of(run.run_id, task_no)))
            wanted.together.push_back({task_no, found.oid(row, 1)});
    }
}

void part(const record &run, const task &failed, std::string_view sqlstate, std::string_view error,
          std::int64_t milliseconds) {
    pg::execute("UPDATE etl.task SET state = 'waiting', sqlstate = $4, error = $5, why = $5,"
                " not_before = pg_catalog.clock_timestamp() + $6 * interval '1 millisecond'"
                " WHERE run_id = $1 AND task_no = ANY ($2) AND state = 'running' AND attempts = $3",
                {pg::int8(run.run_id), pg::int8_array(numbers_of(failed)), pg::int4(failed.attempt), pg::text(sqlstate),
                 pg::text(error), pg::int8(milliseconds)});
}

} // namespace etl::run
