// C++ regime: what logical replication knows of a partition.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

// Puts `to` in place of `from` in the publications that list it, as far as the current user may, and gives it the same
// replica identity; warns of the rest.
void carry_publications(const table &from, const table &to);

} // namespace etl::mart
