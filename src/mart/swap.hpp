// C++ regime: the statements that publish and revert have in common.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

void lock_table(const table &what);
// The same, but false where no table has that name any more.
bool lock_table_if_there(const table &what);
// Detaching needs the mart for itself; attaching lets others read and write on.
void lock_mart(const table &mart, bool detaching);

pg::string detach_statement(const table &mart, const table &partition);
pg::string attach_statement(const table &mart, const table &what, std::string_view portal);

// Renames the table, gives it what the replaced one has (owner, privileges, comment, replica identity, publications)
// and attaches it.
void bring_in(const table &mart, std::string_view portal, const table &what, std::string_view name,
              const std::optional<table> &replaced);

} // namespace etl::mart
