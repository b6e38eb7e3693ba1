// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "pg/postgres.hpp"

namespace etl::load {

// Larger batches fall out of the cache and measure slower.
constexpr int batch_rows = 64;

// Rows of a query, one after the other, each with the same number of columns. What values point to stays as long as the
// batch is not emptied.
struct batch {
    int width; // columns
    int rows;
    Datum *values;
    bool *nulls;
    MemoryContext memory; // what was made for these rows

    Datum *row(int number) const noexcept {
        return values + static_cast<std::size_t>(number) * static_cast<std::size_t>(width);
    }
    bool *nulls_of(int number) const noexcept {
        return nulls + static_cast<std::size_t>(number) * static_cast<std::size_t>(width);
    }
};

} // namespace etl::load
