// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace etl::kernel {

struct array_of_jsonb {
    enum { written, null, slow } kind;
    std::size_t size; // bytes written
};

// No array needs more than this for a jsonb of so many bytes. A little more than the worst: false is 4 bytes in jsonb
// and, as a text with its header, 12 in an array; NULLs add a bitmap.
constexpr std::size_t most_array_bytes(std::size_t jsonb_bytes) noexcept {
    return 4 * jsonb_bytes + 40;
}

// jsonb (a varlena without its header, at any address) to text[] (a varlena with the header of four bytes), written at
// `to`, which is aligned to 4: the elements of an array (null as NULL), the keys of an object whose value is neither
// false nor null, in stored order, a string as the only element; anything else is NULL. Slow, which writes nothing, are
// arrays that hold numbers, arrays or objects, whose text form PostgreSQL knows, and bytes that are no jsonb.
// with_slack: whole registers are copied, so up to `slack` bytes (column.hpp) after the jsonb are read and after the
// array written. Otherwise neither.
template <bool with_slack> array_of_jsonb jsonb_to_array(const char *jsonb, std::size_t size, char *to) noexcept;

extern template array_of_jsonb jsonb_to_array<true>(const char *jsonb, std::size_t size, char *to) noexcept;
extern template array_of_jsonb jsonb_to_array<false>(const char *jsonb, std::size_t size, char *to) noexcept;

} // namespace etl::kernel
