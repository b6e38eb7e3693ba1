// C++ regime: sellers' numbers as keys of the queue.
#pragma once

#include "pg/spi.hpp"

namespace etl::capture {

// Whether the relation has a column acc_id of a type of which the queue takes values.
inline bool has_account_key(Oid relation) {
    return !pg::query("SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
                      " WHERE a.attrelid = $1 AND a.attname = 'acc_id' AND a.attnum > 0"
                      " AND COALESCE(NULLIF(t.typbasetype, 0), t.oid) IN (20, 21, 23)",
                      {pg::oid(relation)})
                .empty();
}

} // namespace etl::capture
