// C++ regime: privileges on tables and their columns.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

// Gives `to` exactly the privileges of `from`, columns included, grant options and grantors too. Returns, a line each,
// what could not be carried: a grant by a role that the current user may not act as. The owners must be the same
// for an exact copy.
pg::string carry_privileges(const table &from, const table &to);

} // namespace etl::mart
