// C++ regime: which rows and columns of a range differ.
#pragma once

#include "verify/finding.hpp"
#include "verify/place.hpp"

namespace etl::verify {

// The lids whose rows in the partition are not those that the view gives, rising.
pg::vector<std::int64_t> differing_lids(const place &where);

// Those that have not changed in the sources since the partition was last in step with them: of the others it is the
// next sync that tells.
pg::vector<std::int64_t> without_changed(const place &where, const pg::vector<std::int64_t> &lids);

// Those that are not terminal rows, which syncs leave as they are though sellers, for instance, change.
pg::vector<std::int64_t> without_terminal(const place &where, const pg::vector<std::int64_t> &lids);

// What differs of each of these lids: columns; or rows that are missing, surplus, or there several times. The first
// most_findings of them and a word about the rest.
pg::vector<finding> describe(const place &where, const pg::vector<std::int64_t> &lids);

// Lids of the range that other portals of the mart have as well: of two portals the first by name finds it.
pg::vector<finding> lids_of_other_portals(const place &where);

} // namespace etl::verify
