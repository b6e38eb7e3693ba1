// PG regime: may ereport
#pragma once

#include "pg/postgres.hpp"

namespace etl::function {

// Kernels look for interrupts after this many bytes of a text.
constexpr std::size_t bytes_between_interrupts = 1 << 20;

// True if an argument is NULL. STRICT functions ask as well: not every caller goes through the executor.
inline bool any_null(FunctionCallInfo fcinfo) noexcept {
    for (int i = 0; i < fcinfo->nargs; i++)
        if (fcinfo->args[i].isnull)
            return true;
    return false;
}

// The bytes of a text that is not toasted (a short header is fine).
inline std::string_view to_view(const text *value) noexcept {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

inline Datum to_datum(std::string_view bytes) {
    return PointerGetDatum(::cstring_to_text_with_len(bytes.data(), static_cast<int>(bytes.size())));
}

} // namespace etl::function
