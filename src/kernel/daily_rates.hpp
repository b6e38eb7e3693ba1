// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/rate_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace etl::kernel {

// The rates of a rate_table again, day by day: an array of codes for each country and currency, so that finding a rate
// is one load. Looks only into memory that its maker provides and keeps.
class daily_rates {
public:
    daily_rates() noexcept = default;

    // Bytes of memory that the rates of a table need, to be aligned for std::int64_t.
    static std::size_t bytes_needed(const rate_table &table) noexcept;

    // `numeric_of` gives the numeric of a rate as PostgreSQL stores it, without a varlena header; never asked for a
    // rate whose value is a null pointer.
    using numeric_of = std::string_view (*)(const void *value);
    daily_rates(const rate_table &table, numeric_of bytes_of, void *memory) noexcept;

    // A country and currency, interned; unknown_pair if there is no rate for them.
    static constexpr std::int32_t unknown_pair = -1;
    std::int32_t find(std::string_view country, std::string_view currency) const noexcept;
};

} // namespace etl::kernel
