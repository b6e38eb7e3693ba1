// C++ regime: pure. How long the tasks of a seed are expected to keep a worker busy.
#include "plan/costs.hpp"

#include <algorithm>
#include <cmath>

namespace etl::plan {

namespace {

// As `bench/model --constants` prints them. _us: microseconds of a worker a row of the mart, or an event of the log;
// _ms: milliseconds a task.
constexpr double analyze_ms = 168;
constexpr double check_us = 0.035;
constexpr double fold_us = 0.127;
constexpr double index_us = 1.78;
constexpr double load_us = 7.89;
constexpr double publish_ms = 32.5;

// Indexes of the mart that was measured, and rows of each of its portals: sorting takes longer a row where there are more.
constexpr double indexes = 4;
constexpr double portal_rows = 168000;

double sorted(double rows) noexcept {
    return rows * std::log2(std::max(rows, 2.0)) / std::log2(portal_rows);
}

} // namespace

double expected_seconds(std::string_view kind, double rows) noexcept {
    rows = std::max(rows, 0.0);
    if (kind == "fold")
        return rows * fold_us / 1e6;
    if (kind == "load")
        return rows * load_us / 1e6;
    if (kind == "index")
        return sorted(rows) * index_us / indexes / 1e6;
    if (kind == "check")
        return rows * check_us / 1e6;
    // Statistics are of a sample: of 300 rows for each step of the target. The mean of the tasks of partitions and of the
    // mart's, which is by far the longest.
    if (kind == "analyze")
        return std::min(rows / 3000.0, 1.0) * analyze_ms / 1e3;
    return kind == "publish" ? publish_ms / 1e3 : 0;
}

} // namespace etl::plan
