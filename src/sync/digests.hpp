// C++ regime: the digests of a partition's ranges, kept in step with its rows.
#pragma once

#include "pg/spi.hpp"
#include "plan/lid_range.hpp"

namespace etl::sync {

// The ranges that a chunk touches, in order. bounds: where each but the first begins, so that the number of bounds that
// are not above a lid is its range's place.
struct digest_ranges {
    Oid partition;
    pg::vector<std::optional<std::int64_t>> from;
    pg::vector<std::int64_t> bounds;
};
digest_ranges digest_ranges_of(Oid partition, const plan::lid_range &range);

struct digest_change {
    std::int64_t rows;
    std::uint64_t digest; // modulo 2^64
};
// Does nothing where the partition has no digests.
void adjust(const digest_ranges &ranges, std::size_t place, const digest_change &by);

// A sum of bigints, which may be longer than one, modulo 2^64.
std::uint64_t wrap(const pg::string &sum) noexcept;

// Adds to the row versions that syncs have left behind in the partition.
void note_dead(Oid partition, std::int64_t versions);

} // namespace etl::sync
