// C++ regime: what partitions are in step with (etl.partition), from one run to the next.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::sync {

// The partitions of the make's portals and what they are in step with, in the order of the sources. 55000 where one was
// never seeded.
struct standing {
    pg::string portal;
    Oid partition;
    bool is_attached; // to the mart, not a replaced one
    Oid view;                          // that its rows were made from
    std::int64_t mark;                 // microseconds since 2000-01-01
    std::optional<std::int64_t> rates; // the set that it was computed with; empty: several
    std::optional<std::uint64_t> position; // of the write-ahead log: it holds what was written before; empty: unknown
};
pg::vector<standing> standings_of(const catalog::make &make, const pg::vector<catalog::source> &sources);
standing standing_of(const catalog::make &make, Oid partition, const pg::string &portal);

// When the make is dropped: another one of that name may give other rows of the same partitions.
void forget_partitions(const pg::string &make);
// Of tables that are gone.
void forget_dropped();

// After a seed's staging tables were attached, in the same transaction: they are in step with what their chunks have
// read, and their digests are those of the chunks.
void note_seed(std::int64_t run_id);
// When all chunks of a sync are done, in the transaction that ends it.
void note_sync(std::int64_t run_id);

} // namespace etl::sync
