// C++ regime: what may have changed in the sources of a portal: tables to read, and queries.
#pragma once

#include "catalog/definitions.hpp"
#include "sync/direct.hpp"

namespace etl::sync {

struct collected {
    pg::vector<direct_read> direct;
    pg::string queries; // each SELECT lid, with $1 for the time
    std::optional<pg::string> obstacle;
    bool much = false; // whether what they read is more than a few pages
};

void add(collected &to, const pg::string &query);

// The condition that leaves out rows that are not expected to change; empty where none are named.
pg::string unless_terminal(const catalog::make &make, const catalog::portal &portal, const char *lid);

// What the sources of the portal tell. position: of the write-ahead log, before which nothing new can have been
// written.
collected from_sources(const catalog::make &make, const catalog::portal &portal, const catalog::source &source,
                       Oid partition, std::optional<std::uint64_t> position);

// Reads what can be read directly, of what was modified since, and leaves the rest to queries.
pg::vector<std::int64_t> read_directly(collected &all, Oid partition, std::int64_t since,
                                       std::optional<std::uint64_t> position);

} // namespace etl::sync
