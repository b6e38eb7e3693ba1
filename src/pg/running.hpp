// Boundary: which transactions are under way.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "datatype/timestamp.h"
}

namespace etl::pg {

// The start of the oldest transaction that is running in this database besides the caller's, at most the present moment:
// whatever a snapshot that is taken afterwards does not see was written by a transaction that began no earlier. Of a
// session that does not report its transactions (track_activities = off) it is the session's start; of prepared
// transactions, whose start nobody knows, the time of PREPARE.
TimestampTz oldest_start();


} // namespace etl::pg
