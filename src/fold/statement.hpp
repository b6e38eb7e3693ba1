// C++ regime: the fold as one statement of plain SQL a lid range.
#pragma once

#include "plan/plan.hpp"

namespace etl::fold {

// Makes the price state of the range equal to the log; gives the number of rows written.
pg::string fold_statement(Oid prices, Oid price_state, const plan::lid_range &range);

} // namespace etl::fold
