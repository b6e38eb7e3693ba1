// Boundary: auto-extension dependencies, for objects that go with the extension without belonging to it.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace etl::pg {

// Makes DROP EXTENSION take the relation with it, without CASCADE. Does nothing where that is so already.
void drop_with_extension(Oid relation);
// The same for a trigger; unlike ALTER TRIGGER ... DEPENDS ON it takes no lock on the trigger's table.
void drop_trigger_with_extension(Oid trigger);

// The view that a statement made, if it is a CREATE VIEW of a view in `schema`; else 0. For the event trigger that
// gives back to restored source views the dependency which pg_dump does not carry.
Oid view_made_by(Node *statement, const char *schema);

} // namespace etl::pg
