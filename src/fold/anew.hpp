// PG regime: what a fold leaves to somebody else, of a price state that others keep in step meanwhile.
#pragma once

#include "pg/postgres.hpp"

namespace etl::fold {

// Folds lids (ascending, each once) of the log anew, each under the lock of its row, and returns the rows written. NULL
// where nobody else writes.
using fold_anew = std::int64_t (*)(Oid prices, Oid price_state, const std::int64_t *lids, std::size_t count);

// How many lids are given at a time: a sixteenth of the memory holds what that takes.
constexpr std::size_t bytes_anew = 160;
constexpr std::size_t most_anew(std::size_t memory) noexcept {
    return std::max<std::size_t>(memory / 16 / bytes_anew, 64);
}

// Whom rows are left to that can't just be inserted.
struct other_writers {
    Oid prices;
    fold_anew anew;
    std::size_t most; // lids at a time
};

} // namespace etl::fold
