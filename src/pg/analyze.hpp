// Boundary: gathering statistics.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// Gathers the statistics of a partitioned table as a whole and leaves its partitions alone, whose own are known already:
// ANALYZE would gather those again (ONLY exists from PostgreSQL 18 on). The current user must own the table.
void analyze_without_partitions(Oid table);

} // namespace etl::pg
