// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <cstdint>

namespace etl::kernel {

// A batch is a few hundred rows held by column, so that a kernel runs over one column after the other while all of
// them are in the cache. All memory is the caller's. Kernels take and fill whole registers: so many bytes after the last
// value must be readable (whatever they hold), and after the last cell writable.
constexpr std::size_t slack = 64;

// Values of varying length one after the other: that of row i is bytes[offsets[i]] up to bytes[offsets[i + 1]], so
// there are n + 1 offsets, ascending. Text without a varlena header, in the encoding of the server.
struct text_column {
    const char *bytes;
    const std::uint32_t *offsets;
    const bool *is_null; // of a row; nullptr if no row is NULL. The bytes of a NULL are never looked at

    bool null(std::size_t row) const noexcept {
        return is_null && is_null[row];
    }
    std::size_t size(std::size_t row) const noexcept {
        return offsets[row + 1] - offsets[row];
    }
    const char *at(std::size_t row) const noexcept {
        return bytes + offsets[row];
    }
};

// Values of one size. A NULL may have any value of the type, but has one.
template <class T> struct column {
    const T *values;
    const bool *is_null; // as above

    bool null(std::size_t row) const noexcept {
        return is_null && is_null[row];
    }
};

// Results of at most 126 bytes: that of row i begins at bytes[i * stride], as a varlena of PostgreSQL with the header
// of one byte, so that its address is a Datum and a row is formed from it without another copy. The stride is the
// kernel's; there must be n * stride + slack bytes. A cell that is NULL holds anything.
struct short_cells {
    char *bytes;
    bool *is_null;
};

// The header of a short varlena with so many bytes behind it.
constexpr char short_header(std::size_t size) noexcept {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return static_cast<char>((size + 1) << 1 | 1);
#else
    return static_cast<char>((size + 1) | 0x80);
#endif
}

// Rows that a kernel leaves to the slow path (the SQL function, called for that row): their numbers, ascending, with
// room for n. Such a row is NULL until then.
struct slow_rows {
    std::uint32_t *rows;
    std::size_t count = 0;

    void add(std::size_t row) noexcept {
        rows[count++] = static_cast<std::uint32_t>(row);
    }
};

} // namespace etl::kernel
