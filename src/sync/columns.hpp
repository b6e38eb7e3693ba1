// C++ regime: the columns of a partition that its source view gives.
#pragma once

#include "pg/spi.hpp"

namespace etl::sync {

struct columns {
    pg::vector<pg::string> quoted; // in the partition's order
    pg::string spare;              // a quoted name that none of the partition's columns has
};

columns columns_of(Oid view, Oid partition);

// All of them, each after `prefix`: "p.lid, p.make".
pg::string list(const columns &of, const char *prefix);

// The digest of the row of `alias`, under the names of its columns.
pg::string digest_of_row(const columns &of, const char *alias);

} // namespace etl::sync
