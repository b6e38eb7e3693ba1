// PG regime: names of marts as users write them.
#pragma once

#include "pg/postgres.hpp"

namespace etl::catalog {

struct mart_name {
    const char *schema;
    const char *relation;
};

// Parses [schema.]relation with SQL's rules for quoting and case. Without a schema: where CREATE TABLE of the session
// would put it, by the search_path in force. 42601, 42602 or 3F000 otherwise.
mart_name parse_mart_name(const char *text);

} // namespace etl::catalog
