// C++ regime: an empty plain table becomes a partitioned one.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

// 55000 if the table holds rows, or may hold some that this transaction's snapshot cannot see.
void refuse_rows(const table &mart);

// Replaces the table, which the caller has locked, and returns the OID of the new one. What the old one has and a
// partitioned table can have comes along; anything else is refused before anything is done.
Oid replace_plain_table(const table &old);

} // namespace etl::mart
