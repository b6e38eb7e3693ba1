// C++ regime: adding and dropping portals.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

struct portal_relations {
    Oid listing;
    Oid customer;
    Oid stat;
    Oid prices;
};

// Checks that they can be the sources of a portal of `owner`: kinds, columns, rights, row security.
void check_portal_relations(Oid owner, const portal_relations &relations);

void add_portal(const pg::string &name, const portal_relations &relations);
void drop_portal(const pg::string &name);

} // namespace etl::catalog
