// C++ regime: templates in the catalog.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

// The text of a template; 42704 if there is none of that name.
pg::string template_query(const pg::string &name);

void set_template(const pg::string &name, const pg::string &query);
void drop_template(const pg::string &name);

} // namespace etl::catalog
