// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstdint>

namespace etl::kernel {

// For instruction sets that can shuffle the bytes of a register but not compress them: of 8 bytes and a bit for each
// that is kept, which byte comes first, second, ...
struct kept_first {
    alignas(8) std::uint8_t order[256][8];
};

constexpr kept_first make_kept_first() noexcept {
    kept_first table{};
    for (int kept = 0; kept < 256; kept++)
        for (int byte = 0, to = 0; byte < 8; byte++)
            if (kept >> byte & 1)
                table.order[kept][to++] = static_cast<std::uint8_t>(byte);
    return table;
}

inline constexpr kept_first kept_first_of = make_kept_first();

} // namespace etl::kernel
