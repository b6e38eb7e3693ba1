// C++ regime: who uses what: one change of definitions at a time, and none under an unfinished run.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

// Makes every other call that changes definitions wait until this transaction ends. Runs and workers don't wait.
void lock_definitions();

// 55006 while a run of this cluster and database is unfinished that works on the make, or on the portal.
void require_idle_make(const pg::string &make);
void require_idle_portal(const pg::string &portal);

// Names of the makes that a query gives, as "volkswagen", "audi".
pg::string list_of_names(const pg::vector<pg::string> &names);
pg::vector<pg::string> makes_naming_portal(const pg::string &portal);
pg::vector<pg::string> makes_using_template(const pg::string &name);
// Makes whose portals are all that exist.
pg::vector<pg::string> makes_of_all_portals();

} // namespace etl::catalog
