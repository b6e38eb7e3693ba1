// C++ regime: the sets of rates that partitions were computed with, by the digests that name them.
#pragma once

#include "pg/spi.hpp"

namespace etl::sync {

// The set that there is now, as the current user sees it; it is kept in etl.used_rate. 42P01 where there are no rates.
std::int64_t current_set();

// The set that this transaction has converted with, kept likewise; empty where it has converted nothing. 40001 where
// rates have changed between two statements of it.
std::optional<std::int64_t> set_in_use();

// Where this transaction has converted rows of the partition with another set than the partition is said to have been:
// that is true of no set from now on, whatever becomes of the run, unless a sync ends that has told and converted all.
void note_conversions(Oid partition);

// Where the rates of two sets that are kept differ: of a country and currency the days from `from` on, before `to`.
struct changed_rates {
    pg::vector<pg::string> countries;
    pg::vector<pg::string> currencies;
    pg::vector<pg::string> from; // as text
    pg::vector<pg::string> to;   // as text; empty: for good
};
changed_rates compare_sets(std::int64_t before, std::int64_t now);

// Drops the sets that no partition and no unfinished run refers to.
void forget_unused_sets();

} // namespace etl::sync
