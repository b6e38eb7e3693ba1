// PG regime: the key join as EXPLAIN shows it.
#pragma once

#include "join/layout.hpp"

extern "C" {
#include "commands/explain.h"
}

namespace etl::join {

void show(const layout &join, std::int64_t passes, std::size_t memory, ExplainState *shown);

} // namespace etl::join
