// PG regime: a set of rates as rows of the catalog.
#pragma once

#include "function/rate_cache.hpp"

namespace etl::sync {

// Inserts the set into etl.used_rate, as the current user.
void insert_set(const function::rate_set &set);

} // namespace etl::sync
