// C++ regime: which lids of a portal may have other rows now than its partition has.
#pragma once

#include "sync/standing.hpp"

#include <functional>

namespace etl::sync {

struct findings {
    pg::vector<std::int64_t> lids;     // rising
    std::optional<pg::string> compare; // why all rows have to be compared instead; `lids` is empty then
    std::optional<std::int64_t> rates; // the set of rates that there is now; empty: the view converts nothing
};

// Looks at everything that was modified since the mark, less etl.sync_overlap, and at the rates. The caller has taken
// the next mark before. Acts as the current user, who owns the make, under its settings. call_for_help: called where there
// is so much to read that others should look at what else there is.
findings find_changes(const catalog::make &make, const catalog::source &source, const standing &held,
                      const std::function<void()> &call_for_help);

// Those of some lids, rising, that have changed since, as the sources and rates tell. Without etl.sync_overlap, which
// is there so that a sync looks at too many rather than at too few, and where a sync would compare all rows because it
// can't be told what has changed, those of which it can.
pg::vector<std::int64_t> changed_of(const catalog::make &make, const catalog::source &source, const standing &held,
                                    const pg::vector<std::int64_t> &lids);

} // namespace etl::sync
