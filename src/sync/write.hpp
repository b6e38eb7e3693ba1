// PG regime: writing to a partition what differs.
#pragma once

#include "sync/compare.hpp"

namespace etl::sync {

// Of the rows that the statements find under the names "gone", "changed" and "came".
struct statements {
    const char *remove, *update, *insert;
};

// Each statement runs if there are rows for it. They see what `snapshot` sees and what those before them did. What is
// changed comes after what is gone, and what came after both, so that a unique index does not meet a value twice.
void write(const differences &found, const statements &how, Snapshot snapshot);

} // namespace etl::sync
