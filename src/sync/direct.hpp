// C++ regime: relations that are read past the executor for what was modified of late.
#pragma once

#include "pg/spi.hpp"
#include "sync/recent.hpp"
#include "sync/touched.hpp"

namespace etl::sync {

// A relation whose rows tell their lids themselves.
struct direct_read {
    timed_rows rows;
    std::optional<touching> listing; // of the portal, whose lids alone matter
    pg::string query;                // where it is not of the kind that can be read like that
};

// Adds the lids of rows that were modified since, in any order; those of the listing's portal, or that the partition
// has, where it matters. False where only SQL can tell.
bool add_recent(pg::vector<std::int64_t> &lids, const direct_read &from, Oid partition, std::int64_t since,
                std::optional<std::uint64_t> position);

} // namespace etl::sync
