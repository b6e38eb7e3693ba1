// Boundary: who still looks at the database as it was.
#pragma once

#include "pg/memory.hpp"

namespace etl::pg {

// A transaction with a snapshot, and the process that has it.
struct snapshot_holder {
    int backend;
    std::uint32_t transaction;
    int pid;
};

struct horizon {
    std::uint32_t limit; // the xmin of a snapshot that sees everything committed by now
    vector<snapshot_holder> holders;
};

// The transactions of this database whose snapshots may lack something that has been committed by now.
// Snapshots taken later need no watching: they see it.
horizon older_snapshots();
// Drops from the horizon those that have ended or have taken a newer snapshot since.
void refresh(horizon &horizon);

} // namespace etl::pg
