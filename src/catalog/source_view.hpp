// C++ regime: source views: the template of a make filled in for one portal.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

// Makes the view etl.<make>_<portal>, owned by the make's owner, with the make's settings in force, and checks it: what
// the template means, that the owner may read its sources, that no row security would filter them. `query`: the
// template.
Oid make_source_view(const make &of, const portal &from, const pg::string &query);

void record_source_view(const pg::string &make, const pg::string &portal, Oid view);

// Drops a view and forgets it; does nothing for one that is gone (DROP TABLE ... CASCADE takes views).
void drop_source_view(Oid view);

struct recorded_view {
    pg::string make;
    pg::string portal;
    Oid view;
};
pg::vector<recorded_view> source_views_of_make(const pg::string &make);
pg::vector<recorded_view> source_views_of_portal(const pg::string &portal);

} // namespace etl::catalog
