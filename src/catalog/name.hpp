// C++ regime: names of portals, makes and templates.
#pragma once

#include "pg/value.hpp"

namespace etl::catalog {

// Portal and make names become parts of names of tables and views, hence the limit.
constexpr std::size_t longest_name = 40;

// 22023 if the name is empty, 42622 if it has more bytes than `longest`. `what`: portal, make, template.
void check_name(const char *what, const pg::string &name, std::size_t longest = longest_name);

// volkswagen -> "volkswagen", in double quotes as PostgreSQL's own messages do.
pg::string in_quotes(const char *what, const pg::string &name);

} // namespace etl::catalog
