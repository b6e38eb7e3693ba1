// C++ regime: how much of the past is kept.
#include "run/run.hpp"

#include "pg/identity.hpp"

namespace etl::run {

// A few at a time, so that no request pays for a long past; the run that etl_revert goes back from stays.
void forget_ended_runs(const record &newest) {
    constexpr int kept = 50;
    constexpr int at_a_time = 10;
    pg::catalog_scope as_catalog;
    pg::execute(pg::format(
                    "WITH ended AS (SELECT r.run_id, r.state, pg_catalog.row_number() OVER (ORDER BY r.run_id DESC) AS age,"
                    "  pg_catalog.max(r.run_id) FILTER (WHERE r.state = 'published') OVER () AS published FROM etl.run r"
                    "  WHERE r.kind = $1 AND r.make IS NOT DISTINCT FROM $2 AND r.portal IS NOT DISTINCT FROM $3"
                    "  AND r.state IN ('published', 'done', 'failed', 'cancelled'))"
                    " DELETE FROM etl.run WHERE run_id IN (SELECT r.run_id FROM etl.run r JOIN ended e USING (run_id)"
                    "  WHERE e.age > %d AND e.run_id IS DISTINCT FROM e.published ORDER BY r.run_id LIMIT %d"
                    "  FOR UPDATE OF r SKIP LOCKED)",
                    kept, at_a_time),
                {pg::text(pg::view(newest.kind)), pg::text(newest.make), pg::text(newest.portal)});
}

} // namespace etl::run
