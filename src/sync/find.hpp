// C++ regime: which lids of a portal may have other rows now than its partition has.
#pragma once

#include "sync/standing.hpp"

namespace etl::sync {

struct findings {
    pg::vector<std::int64_t> lids;     // rising
    std::optional<pg::string> compare; // why all rows have to be compared instead; `lids` is empty then
    std::optional<std::int64_t> rates; // the set of rates that there is now; empty: the view converts nothing
};

// Looks at everything that was modified since the mark, less etl.sync_overlap, and at the rates. The caller has taken the
// next mark before. Acts as the current user, who owns the make, under its settings.
findings find_changes(const catalog::make &make, const catalog::source &source, const standing &held);

// Those of some lids, rising, that a sync would look at. Where it would have to compare all rows, because what has changed
// can't be told, those of which it can.
pg::vector<std::int64_t> changed_of(const catalog::make &make, const catalog::source &source, const standing &held,
                                    const pg::vector<std::int64_t> &lids);

} // namespace etl::sync
