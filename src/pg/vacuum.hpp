// Boundary: VACUUM of one table.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// Whether the current user may vacuum the table.
bool may_vacuum(Oid table);

// Vacuums the table as autovacuum does: alone, without gathering statistics, without the lock that cutting off empty pages
// at the end takes. It commits the transaction that the caller has begun without a snapshot (in_transaction), works in
// transactions of its own, and leaves a fresh one. The current context, where it keeps what it needs, must survive that.
void vacuum(Oid table);

} // namespace etl::pg
