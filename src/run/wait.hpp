// C++ regime: waiting for the end of a run.
#pragma once

#include "pg/procedure.hpp"
#include "run/run.hpp"

namespace etl::run {

// Looks at the run until it has ended, tells how it goes by NOTICE, and commits between looks, so that it holds no
// snapshot. microseconds: how long to wait at most; 57014 after that. Raises the run's own error if it failed.
void wait(pg::procedure &call, std::int64_t run_id, std::optional<std::int64_t> microseconds);

} // namespace etl::run
