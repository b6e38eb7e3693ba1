// C++ regime: index tasks of a portal that one worker does at once, since its table is then read once for all of them.
#pragma once

#include "run/claim.hpp"

namespace etl::run {

// Claims further ones along with an index task: a share of those that wait, so that each worker that would have nothing
// else to do gets one as well. None along with a task that was begun before.
void take_together(const record &run, task &wanted);

// After an error of some of them: each is to be done alone, after so long, so that the one to which it belongs reports
// it.
void part(const record &run, const task &failed, std::string_view sqlstate, std::string_view error,
          std::int64_t milliseconds);

} // namespace etl::run
