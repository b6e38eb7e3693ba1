// Boundary: the extension as an object of the database.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// Locks the extension against being dropped until the transaction ends, before anything else is locked, so that
// DROP EXTENSION waits for a chunk instead of meeting it half-way. 55000 where it is gone.
void lock_extension();

// True if the extension is installed in this database.
bool extension_exists();

} // namespace etl::pg
