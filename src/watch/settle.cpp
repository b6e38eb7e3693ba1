// C++ regime: what the end of a fold makes of a price state.
#include "pg/identity.hpp"
#include "watch/watch.hpp"

namespace etl::watch {

namespace {

// Chunks that don't see the transaction that began to watch the log were not folded as those of a watched log are.
pg::result chunks_before_watch(std::int64_t run_id, std::string_view portal) {
    return pg::query("SELECT t.task_no FROM etl.task t JOIN etl.price_gap g ON g.portal = t.portal AND g.is_start"
                     " WHERE t.run_id = $1 AND t.portal = $2 AND t.kind = 'fold' AND t.state IN ('running', 'done')"
                     " AND NOT pg_catalog.pg_visible_in_snapshot(g.xid, t.snapshot)",
                     {pg::int8(run_id), pg::text(portal)});
}

void repeat(std::int64_t run_id, std::int32_t task_no) {
    pg::execute("UPDATE etl.task SET state = 'waiting', ended_at = NULL, why = 'the price log is watched now'"
                " WHERE run_id = $1 AND task_no = $2 AND state = 'done'",
                {pg::int8(run_id), pg::int4(task_no)});
}

} // namespace

void settle(std::int64_t run_id, std::int32_t task_no, std::string_view portal) {
    pg::catalog_scope as_catalog;
    // Whoever records a gap is waited for, or waits. The portal's row makes the last two of several workers see each other.
    pg::query("SELECT FROM etl.watch WHERE portal = $1 FOR NO KEY UPDATE", {pg::text(portal)});
    pg::query("SELECT FROM etl.portal WHERE portal = $1 FOR NO KEY UPDATE", {pg::text(portal)});
    const pg::result early = chunks_before_watch(run_id, portal);
    for (std::size_t row = 0; row < early.size(); row++)
        if (early.int8(row, 0) == task_no)
            throw error("55006", "the price log came to be watched while this chunk was folded");
    for (std::size_t row = 0; row < early.size(); row++)
        repeat(run_id, static_cast<std::int32_t>(early.int8(row, 0)));
    const pg::result left = pg::query("SELECT FROM etl.task WHERE run_id = $1 AND portal = $2 AND kind = 'fold'"
                                      " AND state <> 'done' AND task_no <> $3 LIMIT 1",
                                      {pg::int8(run_id), pg::text(portal), pg::int4(task_no)});
    if (!left.empty())
        return;
    pg::execute("SELECT etl.settle_price_state($1, $2)", {pg::int8(run_id), pg::text(portal)});
    pg::execute("DELETE FROM etl.price_removal q USING etl.portal p WHERE p.portal = $2"
                " AND q.price_state = p.price_state::oid AND q.at < p.folded_at"
                " AND NOT EXISTS (SELECT FROM etl.task t WHERE t.kind = 'fold' AND t.portal = p.portal"
                "  AND t.run_id <> $1 AND t.state = 'running')",
                {pg::int8(run_id), pg::text(portal)});
}

} // namespace etl::watch
