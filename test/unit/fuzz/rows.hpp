// C++ regime: may throw, never calls PostgreSQL
// What harnesses share: an input as rows of a column.
#pragma once

#include "columns.hpp"

#include <cstdint>
#include <cstdlib>

namespace fuzz {

// A line is a row; a line of one zero byte is NULL.
inline std::vector<columns::maybe_text> rows(const std::uint8_t *data, std::size_t size) {
    std::vector<columns::maybe_text> found(1, "");
    for (std::size_t i = 0; i < size; i++)
        if (data[i] == '\n')
            found.emplace_back("");
        else
            *found.back() += static_cast<char>(data[i]);
    for (columns::maybe_text &row : found)
        if (row == std::string(1, '\0'))
            row.reset();
    return found;
}

inline void require(bool holds) {
    if (!holds)
        std::abort();
}

} // namespace fuzz
