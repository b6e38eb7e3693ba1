// C++ regime: pure. How long the tasks of a seed are expected to keep a worker busy.
#pragma once

#include <string_view>

namespace etl::plan {

// Seconds of one worker for a task of that kind (fold, load, index, check, analyze, publish) over so many rows: events of
// the log for a fold, rows of the mart for the rest. What the shipped template took on the machine of docs/performance.md:
// another one is faster or slower as a whole, and templates of other columns differ.
double expected_seconds(std::string_view kind, double rows) noexcept;

} // namespace etl::plan
