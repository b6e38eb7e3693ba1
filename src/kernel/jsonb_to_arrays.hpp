// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/column.hpp"

namespace etl::kernel {

// Arrays of type text[] one after the other, each a varlena with the header of four bytes at an address that is a
// multiple of 8: that of row i is bytes + offsets[i].
struct array_cells {
    char *bytes;      // aligned to 8 bytes
    std::size_t room; // bytes that there are; slack is not counted in
    std::uint32_t *offsets;
    bool *is_null;
};

// No array needs more than this for a jsonb of so many bytes.
constexpr std::size_t most_array_bytes(std::size_t jsonb_bytes) noexcept {
    return 3 * jsonb_bytes + 40;
}

// jsonb to text[] for n rows: the elements of an array (null as NULL), the keys of an object whose value is neither
// false nor null, a string as the only element; anything else is NULL. Documents are jsonb without a varlena header,
// at any address. Left to the slow path are arrays that hold numbers, arrays or objects, and what there is no room for.
// Returns the bytes written.
std::size_t jsonb_to_arrays(const text_column &documents, std::size_t n, const array_cells &out,
                            slow_rows &slow) noexcept;

} // namespace etl::kernel
