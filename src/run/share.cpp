// C++ regime: how much of a waiting chunk a worker takes.
#include "run/share.hpp"

#include "plan/pieces.hpp"
#include "settings.hpp"

#include <cmath>

namespace etl::run {

namespace {

struct outlook {
    double rows; // of the chunk, as estimated
    std::size_t pieces;
    plan::load_pace pace;
};

// The pace is that of the chunk's portal, or, before a chunk of that one is done, of the others.
outlook look(const record &run, const task &wanted) {
    const pg::result found = pg::query(
        pg::kept("SELECT c.estimated_rows, pg_catalog.cardinality(c.cuts) + 1, COALESCE(r.chunk_target, $3), "
                 "COALESCE(p.rows, 0),"
                 " COALESCE(p.microseconds, 0), (SELECT pg_catalog.sum(t.estimated_rows)::bigint FROM etl.task t"
                 "  WHERE t.run_id = $1 AND t.kind = 'load' AND t.state = 'waiting')"
                 " FROM etl.run r JOIN etl.task c USING (run_id) LEFT JOIN LATERAL ("
                 "  SELECT pg_catalog.sum(t.estimated_rows)::bigint AS rows,"
                 "  (1e6 * EXTRACT(epoch FROM pg_catalog.sum(t.ended_at - t.started_at)))::bigint AS microseconds"
                 "  FROM etl.task t WHERE t.run_id = $1 AND t.kind = 'load' AND t.state = 'done'"
                 "  GROUP BY t.portal = c.portal ORDER BY t.portal = c.portal DESC LIMIT 1) p ON true"
                 " WHERE run_id = $1 AND c.task_no = $2"),
        {pg::int8(run.run_id), pg::int4(wanted.task_no), pg::int4(chunk_target)});
    const auto number = [&found](std::size_t column) { return static_cast<double>(found.int8(0, column)); };
    return {number(0),
            static_cast<std::size_t>(found.int8(0, 1)),
            {number(3), number(4) / 1e6, number(5), std::min(run.workers, max_workers), number(2) / 1000}};
}

// Two workers that cut at once may choose the same number: the second waits for the first and chooses again.
void put_back(const record &run, const task &of, std::int32_t taken, std::int64_t rows) {
    while (pg::execute(
               pg::kept(
                   "INSERT INTO etl.task (run_id, task_no, phase, kind, portal, lid_from, lid_to, cuts, estimated_rows)"
                   " SELECT t.run_id, (SELECT pg_catalog.max(o.task_no) + 1 FROM etl.task o WHERE o.run_id = $1),"
                   " t.phase, t.kind, t.portal, t.cuts[$3], t.lid_to, NULLIF(t.cuts[$3 + 1:], '{}'),"
                   " t.estimated_rows - $4 FROM etl.task t WHERE t.run_id = $1 AND t.task_no = $2"
                   " ON CONFLICT DO NOTHING"),
               {pg::int8(run.run_id), pg::int4(of.task_no), pg::int4(taken), pg::int8(rows)}) == 0) {
    }
}

} // namespace

void take_share(const record &run, task &wanted) {
    const outlook now = look(run, wanted);
    const std::size_t taken = plan::pieces_to_take(now.pieces, now.rows, plan::rows_to_take(now.pace));
    if (taken == now.pieces)
        return;
    const auto cut = static_cast<std::int32_t>(taken);
    const std::int64_t rows = std::llround(now.rows * static_cast<double>(taken) / static_cast<double>(now.pieces));
    put_back(run, wanted, cut, rows);
    wanted.range.to = pg::query(pg::kept("UPDATE etl.task SET lid_to = cuts[$3], estimated_rows = $4"
                                         " WHERE run_id = $1 AND task_no = $2 RETURNING lid_to"),
                                {pg::int8(run.run_id), pg::int4(wanted.task_no), pg::int4(cut), pg::int8(rows)})
                          .int8(0, 0);
}

} // namespace etl::run
