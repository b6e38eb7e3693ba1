// C++ regime: what the plans of the kinds of runs share.
#pragma once

#include "plan/pieces.hpp"
#include "plan/plan.hpp"

namespace etl::plan {

planned_task task_of(phase when, const char *kind, std::optional<pg::string> portal);
std::int64_t round_rows(double rows) noexcept;

// Appends the fold tasks of a portal for that many workers, acting as the current user.
void add_folds(pg::vector<planned_task> &tasks, const catalog::portal &portal, int workers, bool with_sql);

const catalog::portal &find_portal(const pg::vector<catalog::portal> &portals, const pg::string &name);

// The ranges of the partition of which there are digests, in order, with the rows that they have.
struct noted_range {
    lid_range range;
    std::int64_t rows;
};
pg::vector<noted_range> noted_ranges(Oid partition);

using portal_ranges = std::vector<divisible_range>;

// The ranges of each source. chunk_rows: rows of the mart a range, which then can't be cut; else they are as large as
// the target allows and still two for each worker, but not smaller than the slowest worker needs for the target.
std::vector<portal_ranges> cut_loads(const catalog::make &make, const pg::vector<catalog::source> &sources, int workers,
                                     std::optional<std::int64_t> chunk_rows);

} // namespace etl::plan
