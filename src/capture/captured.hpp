// C++ regime: what triggers have captured of the sources of a make, for a sync of it.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::capture {

struct captured {
    // Why all rows of the partition have to be compared, since not all that has changed is in the queue.
    std::optional<pg::string> compare;
    // SELECT lid ...: the lids that may have changed, some of them more than once; to be run as the make's owner, in this
    // transaction or later. Empty if there are none, or the sources are not watched.
    pg::string lids;
};

// What the partition has not had yet. Acts as the extension's owner, and leaves the current user as it is.
captured find_captured(const catalog::make &make, const catalog::portal &portal, Oid partition);

// Says that a seed or sync has ended, in its last transaction: what was committed when it was asked for is in the
// partitions that it wrote, which are the mart's by now. Does nothing for other runs, and for makes that are not watched.
void consume(std::int64_t run_id);

} // namespace etl::capture
