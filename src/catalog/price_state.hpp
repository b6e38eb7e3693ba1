// C++ regime: the table that a portal's price log is folded into.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

struct price_state {
    Oid table;
    bool taken_over; // it was there before, so nobody knows what it has seen
};

// Makes price_state_<portal> in the log's schema, as `owner`, readable for whoever may read the log; or takes over a
// table of that name and shape. 42P07 where something else has that name.
price_state prepare_price_state(Oid owner, const pg::string &portal, Oid prices);

// The view "price_state" in the schema of a price state: all portals of that schema, as the view's owner. Where there
// is no view yet it is made as `adder`, if that is given. Dropped with the last portal. A relation of that name which
// is not this view is left alone, with a WARNING.
void remake_price_state_view(const pg::string &schema, std::optional<Oid> adder);

// Name of the schema that a relation is in; empty if the relation is gone.
pg::string schema_of(Oid relation);

} // namespace etl::catalog
