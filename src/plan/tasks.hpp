// C++ regime: what the plans of seed and fold share.
#pragma once

#include "plan/plan.hpp"

namespace etl::plan {

planned_task task_of(phase when, const char *kind, std::optional<pg::string> portal);
std::int64_t round_rows(double rows) noexcept;

// Appends the fold tasks of a portal for that many workers, acting as the current user.
void add_folds(pg::vector<planned_task> &tasks, const catalog::portal &portal, int workers, bool with_sql);

} // namespace etl::plan
