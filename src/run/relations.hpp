// C++ regime: what the tasks of a run read, down to the last partition: rows of a lost one would be missed in silence.
#pragma once

#include "run/claim.hpp"

namespace etl::run {

// Notes the relations that the run's portals are read from, once etl.run_portal has its rows.
void record_relations(std::int64_t run_id);

// 55000 if one of them is a source no more. Called after a task's work, in its transaction, whose locks keep partitions
// from going until it ends.
void require_relations(const record &run, const task &done);

// The SQL condition under which all relations of the run r that are still to be read are there.
constexpr const char *relations_are_there =
    "NOT EXISTS (SELECT FROM etl.run_portal p, etl.relations_under(p.view) there, unnest(p.relations) o"
    " WHERE p.run_id = r.run_id AND o <> ALL (there))"
    " AND NOT EXISTS (SELECT FROM etl.run_portal p JOIN etl.portal d USING (portal),"
    " etl.relations_under(d.prices) there, unnest(p.log_relations) o"
    " WHERE p.run_id = r.run_id AND o <> ALL (there) AND EXISTS (SELECT FROM etl.task t"
    " WHERE t.run_id = p.run_id AND t.portal = p.portal AND t.kind = 'fold' AND t.state <> 'done'))";

} // namespace etl::run
