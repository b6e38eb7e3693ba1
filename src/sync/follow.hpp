// C++ regime: a sync or verification that had to wait its turn, and what became of the mart meanwhile.
#pragma once

#include <cstdint>

namespace etl::sync {

// Where a seed has replaced partitions since the run was planned, or was last at work, makes it work at those that are
// in the mart now, from the beginning; says whether that was so. For the transaction in which its turn comes.
bool follow_partitions(std::int64_t run_id);

} // namespace etl::sync
