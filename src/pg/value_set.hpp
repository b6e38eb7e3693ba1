// Boundary: the distinct values of a column, by their bytes. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

namespace etl::pg {

struct distinct_value {
    std::uint64_t hash;
    std::uint32_t number; // in the order in which they came
    std::uint32_t length;
    alignas(MAXIMUM_ALIGNOF) char bytes[]; // as they lie in a row
};

struct value_set {
    distinct_value **slots; // by hash, free ones are null
    std::uint32_t slot_count;
    std::uint32_t count;
    distinct_value *last; // that was asked for
};

// Of all zeros, the set is empty. `bytes` grows by what is taken from the memory.
distinct_value *keep_value(value_set &set, const char *value, std::uint32_t length, MemoryContext memory,
                           std::size_t &bytes);
// Empties the set, and takes off `bytes` what it gives back.
void forget_values(value_set &set, std::size_t &bytes);

} // namespace etl::pg
