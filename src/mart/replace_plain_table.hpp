// C++ regime: an empty plain table becomes a partitioned one.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

// 55000 if the table holds rows, as far as can be told without a lock; it keeps none either.
void refuse_rows_unlocked(const table &mart);

// Replaces the table, which the caller has locked, and returns the OID of the new one. What the old one has and a
// partitioned table can have comes along; anything else is refused before anything is done.
Oid replace_plain_table(const table &old);

} // namespace etl::mart
