// C++ regime: what verifications find.
#pragma once

#include "pg/spi.hpp"
#include "plan/lid_range.hpp"

namespace etl::verify {

struct finding {
    std::optional<std::int64_t> lid;  // empty: of the range as a whole
    std::optional<pg::string> column; // empty: of whole rows
    std::optional<pg::string> mart_value;
    std::optional<pg::string> source_value;
};

// More of one task are not kept; what is left out is said in a last one.
constexpr std::size_t most_findings = 1000;

// Keeps them with the run, in etl.difference.
void keep(std::int64_t run_id, std::int32_t task_no, const pg::vector<finding> &found);

// A finding with its place, as etl_differences shows it.
struct kept_finding {
    pg::string portal;
    plan::lid_range range;
    finding what;
};
pg::vector<kept_finding> findings_of(std::int64_t run_id);

} // namespace etl::verify
