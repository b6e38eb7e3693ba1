// C++ regime: what a run will do, before it does it: the tasks of a seed, sync or fold. Writes nothing.
#pragma once

#include "catalog/definitions.hpp"
#include "plan/lid_range.hpp"

namespace etl::plan {

// A task is ready when all tasks of lower phases are done: of its portal, or of the whole run where it has no portal.
// Statistics of a portal's rows are gathered before they are published, those of the mart as a whole after. A sync
// finds the lids that may have changed and applies chunks of them, or compares whole ranges; etl_progress names the
// phases.
enum class phase : int {
    fold,
    load,
    index,
    check,
    analyze_portal,
    publish,
    analyze_mart,
    find,
    apply,
    compare,
    vacuum,
    verify
};

struct planned_task {
    enum phase phase;
    const char *kind; // fold, load, index, check, publish, analyze
    std::optional<pg::string> portal;
    lid_range range;
    pg::vector<std::int64_t> cuts; // where the run may cut the range, into pieces of equal rows (plan/pieces)
    std::optional<pg::vector<std::int64_t>> lids; // of the range, that a chunk of a sync looks at; empty: all
    std::optional<Oid> parent_index;
    std::int64_t estimated_rows;
    std::int64_t estimated_bytes;
    pg::string sql; // what the task does, as SQL; a load task's is the SELECT with the range on every table
};

// Plans a seed of the make: fold tasks where the price state of a portal is unfolded or stale, chunks, indexes, checks,
// publish, analyze. Acts as the make's owner for whatever touches relations. chunk_rows: rows of the mart a chunk;
// empty for the engine's choice, which the run goes on to make while it learns its pace. workers: how many the run may
// have. run: number of the run (0 in a dry run) from which staging tables get their names.
pg::vector<planned_task> plan_seed(const catalog::make &make, const pg::vector<catalog::source> &sources, int workers,
                                   std::optional<std::int64_t> chunk_rows, std::int64_t run, bool with_sql);

// Plans a sync: folds as a seed has them, and a task a portal that finds what has changed, and adds what is to be done.
pg::vector<planned_task> plan_sync(const catalog::make &make, const pg::vector<catalog::source> &sources, int workers);
// Plans chunks of a portal that compare all rows of the range with the source view's, none of which crosses ranges of
// digests.
pg::vector<planned_task> plan_comparison(const catalog::make &make, const catalog::source &source, Oid partition,
                                         const lid_range &range);
// Chunks of lids that a sync has found, for that many workers; they rise.
pg::vector<planned_task> plan_application(const catalog::source &source, const pg::vector<std::int64_t> &lids,
                                          int workers);

// The fold tasks that a run of the make begins with, for portals that are unfolded or stale. 42501, 55000 where code or
// price states of others stand in the way.
pg::vector<planned_task> plan_folds_of(const catalog::make &make, const pg::vector<catalog::source> &sources,
                                       int workers, bool with_sql);

// Plans chunks of a portal that verify the ranges of which there are digests; where there are none, chunks that cover
// all lids.
pg::vector<planned_task> plan_verification(const catalog::make &make, const catalog::source &source, Oid partition);

// Plans a fold of the portal's price log for that many workers.
pg::vector<planned_task> plan_fold(const catalog::portal &portal, int workers, bool with_sql);

// Fingerprint of what a seed is planned from: mart, its columns and indexes, source views and their definitions,
// settings.
pg::string definition_of(const catalog::make &make, const pg::vector<catalog::source> &sources);

} // namespace etl::plan
