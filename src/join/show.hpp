// PG regime: the key join as EXPLAIN shows it.
#pragma once

#include "join/layout.hpp"

extern "C" {
#include "commands/explain.h"
}

namespace etl::join {

// listed: how many keys the list has, if there is one.
void show(const layout &join, std::int64_t listed, std::int64_t passes, std::size_t memory, ExplainState *shown);

} // namespace etl::join
