// PG regime: whether INSERT would take a value of one type for a column of another.
#pragma once

#include "pg/guard.hpp"

namespace etl::mart {

bool is_assignable(Oid from, Oid to);

} // namespace etl::mart
