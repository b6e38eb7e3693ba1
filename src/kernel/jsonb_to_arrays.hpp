// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/column.hpp"
#include "kernel/jsonb_to_array.hpp"

namespace etl::kernel {

// Arrays of type text[] one after the other, each a varlena with the header of four bytes at an address that is a
// multiple of 8: that of row i is bytes + offsets[i].
struct array_cells {
    char *bytes;      // aligned to 8 bytes
    std::size_t room; // bytes that there are; slack is not counted in
    std::uint32_t *offsets;
    bool *is_null;
};

// As jsonb_to_array(), for n rows; documents are jsonb without a varlena header. There is room enough if it is the sum
// of most_array_bytes() over the rows; a row for which there is not is left to the slow path too. Returns the bytes
// written.
std::size_t jsonb_to_arrays(const text_column &documents, std::size_t n, const array_cells &out,
                            slow_rows &slow) noexcept;

} // namespace etl::kernel
