// C++ regime: pure. A lid range in its two forms.
#pragma once

#include <cstdint>
#include <optional>

namespace etl::plan {

// A lid range [from, to); an empty optional is no bound, so that the largest bigint is covered too.
struct lid_range {
    std::optional<std::int64_t> from;
    std::optional<std::int64_t> to;
};

// The same as it crosses into PG regime, where optionals are not at home. of_lids: only those lids of the range that the
// parameter $1 of the query, a bigint[], has.
struct key_bounds {
    bool has_from;
    bool has_to;
    std::int64_t from;
    std::int64_t to;
    bool of_lids = false;
};

inline key_bounds bounds_of(const lid_range &range) noexcept {
    return {range.from.has_value(), range.to.has_value(), range.from.value_or(0), range.to.value_or(0), false};
}

} // namespace etl::plan
