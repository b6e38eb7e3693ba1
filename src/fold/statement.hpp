// C++ regime: the fold as one statement of plain SQL a lid range.
#pragma once

#include "plan/plan.hpp"

namespace etl::fold {

// `column` >= from AND < to AND not NULL, which the bounds imply where there are any.
pg::string range_condition(const char *column, const plan::lid_range &range);

// Makes the price state of the range equal to the log; gives the number of rows written.
pg::string fold_statement(Oid prices, Oid price_state, const plan::lid_range &range);

// Lids of the range, ascending, whose rows differ from the log, are missing, or should not be there.
pg::string different_lids(Oid prices, Oid price_state, const plan::lid_range &range);

} // namespace etl::fold
