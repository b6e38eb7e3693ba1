// C++ regime: one task of a verification.
#pragma once

#include "catalog/definitions.hpp"
#include "plan/lid_range.hpp"

namespace etl::verify {

struct duty {
    std::int64_t run_id;
    std::int32_t task_no;
};

// Looks at a range of a partition as the run's level says; where that shows a difference, at its rows one by one; keeps
// what it finds; and, where the run is to repair, makes the damaged rows equal to the source view's and notes their
// digest anew. Returns how many rows the range has. Acts as the current user, who owns the make, in the caller's
// transaction.
std::int64_t verify_range(const duty &whose, const catalog::make &make, const catalog::source &source, Oid partition,
                          const plan::lid_range &range);

} // namespace etl::verify
