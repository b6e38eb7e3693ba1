// PG regime: writing to a partition what differs.
#pragma once

#include "sync/compare.hpp"

namespace etl::sync {

// Of the rows that the statements find under the names "gone", "changed" and "came".
struct statements {
    const char *remove, *update, *insert;
};

// Compares, and writes what differs. The statements see what the comparison has seen and what those before them did.
// What is changed comes after what is gone, and what came after both, so that a unique index does not meet a value
// twice. In the current context.
differences compare_and_write(const comparison &wanted, const statements &how);

} // namespace etl::sync
