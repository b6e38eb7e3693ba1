// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "load/lift.hpp"

namespace etl::load {

// Results of an expression by the values that it was computed from. Holds so many and no more: those that come later
// are computed each time. Sources that a Datum holds are equal where their bits are.
struct result_memory;

constexpr int most_sources = 4;
struct sources {
    Datum values[most_sources]; // 0 where NULL or not there
    std::uint32_t nulls;        // a bit each
};
struct remembered {
    bool known;
    bool is_null;
    Datum value;
};

// In the current context, which lives as long as it does; so do the values it holds.
result_memory *create_result_memory(bool by_value, int length);
remembered recall(const result_memory &self, const sources &from);
// A result that is not known. Returns what is to be used, whether it was kept or not.
Datum remember(result_memory &self, const sources &from, Datum value, bool is_null);

} // namespace etl::load
