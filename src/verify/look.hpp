// C++ regime: whether the rows of a range are what they should be, as a whole.
#pragma once

#include "verify/level.hpp"
#include "verify/place.hpp"

namespace etl::verify {

struct look {
    std::int64_t rows;                  // in the partition
    std::optional<std::int64_t> digest; // of them, where the level computes it
    bool as_written;                    // equal to what was noted, as far as the level tells
    bool as_source;                     // equal to what the view gives now, as far as the level tells
};

// One statement. Acts as the current user.
look look_at(const place &where, level how, const std::optional<written> &noted);

// How many rows the partition has in the range, and their digest.
written digest_now(const place &where);

} // namespace etl::verify
