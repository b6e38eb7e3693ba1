// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/jsonb_to_arrays.hpp"

#include "kernel/jsonb_to_array.hpp"

namespace etl::kernel {

std::size_t jsonb_to_arrays(const text_column &documents, std::size_t n, const array_cells &out,
                            slow_rows &slow) noexcept {
    std::size_t used = 0;
    for (std::size_t row = 0; row < n; row++) {
        out.offsets[row] = static_cast<std::uint32_t>(used);
        out.is_null[row] = true;
        if (documents.null(row))
            continue;
        const std::size_t size = documents.size(row);
        if (most_array_bytes(size) > out.room - used) {
            slow.add(row);
            continue;
        }
        const array_of_jsonb array = jsonb_to_array<true>(documents.at(row), size, out.bytes + used);
        if (array.kind == array_of_jsonb::slow)
            slow.add(row);
        out.is_null[row] = array.kind != array_of_jsonb::written;
        used += (array.size + 7) & ~std::size_t{7};
    }
    return used;
}

} // namespace etl::kernel
