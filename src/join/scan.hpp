// PG regime: the key join as a plan node.
#pragma once

#include "join/layout.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace etl::join {

// A plan's private list, from which scan_layout takes the layout again.
List *private_list(const layout &join);
const layout &scan_layout(const CustomScan *plan);

extern const CustomScanMethods scan_methods;

} // namespace etl::join
