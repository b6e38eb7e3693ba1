// C++ regime: several runs of one make take turns.
#include "run/turn.hpp"

#include "pg/identity.hpp"
#include "pg/lock.hpp"
#include "pg/message.hpp"

#include <functional>

namespace etl::run {

std::optional<rival> stands_before(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    // Most runs have no rival, which a question that is simpler to plan tells.
    if (pg::query(pg::kept("SELECT FROM etl.run r JOIN etl.run o ON o.make = r.make AND o.run_id <> r.run_id"
                           " WHERE r.run_id = $1 AND (o.state IN ('queued', 'running', 'paused') OR o.state IN"
                           "  ('failed', 'cancelled') AND EXISTS (SELECT FROM etl.task t WHERE t.run_id = o.run_id"
                           "   AND t.state = 'running')) LIMIT 1"),
                  {pg::int8(run_id)})
            .empty())
        return std::nullopt;
    const pg::result rows =
        pg::query(pg::kept("SELECT behind, behind_state FROM etl.turn WHERE run_id = $1"), {pg::int8(run_id)});
    if (rows.empty())
        return std::nullopt;
    return rival{rows.int8(0, 0), rows.text(0, 1)};
}

void say_turn(std::int64_t run_id) {
    if (const std::optional<rival> before = stands_before(run_id))
        pg::notice(
            pg::view(pg::format("run " INT64_FORMAT " waits for run " INT64_FORMAT " of the same make, which is %s",
                                run_id, before->run_id, before->state.c_str())));
}

// The lock makes who begins with one run and who begins with another see each other. The run's row would not do:
// whoever steers the run may keep it for long, and there may be several runs.
turn whose_turn(const record &run) {
    if (!run.make || run.state != "queued")
        return turn::ours;
    const auto make = static_cast<std::uint32_t>(std::hash<std::string_view>()(pg::view(*run.make)));
    if (!pg::try_lock_in_transaction({pg::lock_kind::turn, make, 0}, pg::lock_strength::exclusive))
        return turn::contested;
    return stands_before(run.run_id) ? turn::others : turn::ours;
}

void kick_next(const record &stopped) {
    if (!stopped.make)
        return;
    pg::catalog_scope as_catalog;
    const pg::result next =
        pg::query(pg::format("SELECT run_id, owner::oid FROM etl.run WHERE make = $1 AND state = 'queued'"
                             " AND run_id <> $2 AND %s ORDER BY since, run_id LIMIT 1",
                             this_cluster().c_str()),
                  {pg::text(stopped.make), pg::int8(stopped.run_id)});
    if (!next.empty() && pg::can_work_as(next.oid(0, 1)))
        kick(*find(next.int8(0, 0)));
}

} // namespace etl::run
