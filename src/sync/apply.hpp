// C++ regime: makes rows of a partition equal to those of its source view.
#pragma once

#include "pg/value.hpp"
#include "plan/lid_range.hpp"

namespace etl::sync {

// What was done to a selection.
struct applied {
    std::int64_t lids; // that were written
    // Of the whole range, where no lids were named: how many rows it has now, and their digest.
    std::optional<std::int64_t> rows;
    std::optional<std::int64_t> digest;
};

// Which rows: those of the range, or only those of some lids of it.
struct selection {
    plan::lid_range range;
    std::optional<pg::vector<std::int64_t>> lids;
};

// Removes the partition's rows that the view does not give, inserts those that it lacks, and updates those that differ
// from the view's in a byte of a column that the view gives; rows that are equal are not touched. A lid that either
// has several times is written anew, all rows of it. Digests of the partition and its count of dead row versions
// follow. Acts as the current user, in the caller's transaction, with one snapshot for all.
applied apply(Oid view, Oid partition, const selection &rows);

} // namespace etl::sync
