// C++ regime: what stands in the way of replacing a plain table by a partitioned one.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

// Raises 2BP01 where other objects depend on the table, 0A000 where it has something that a partitioned table or its
// partitions cannot have or that we cannot carry over, with all of it in the DETAIL.
void refuse_obstacles(const table &old);

} // namespace etl::mart
