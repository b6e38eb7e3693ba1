// Boundary: SQL statements from C++, through SPI.
#pragma once

#include "pg/value.hpp"

namespace etl::pg {

// The rows of a query, as text, copied into the caller's context.
class result {
public:
    // Cells as C strings, row by row; null for NULL.
    result(char **cells, std::size_t rows, std::size_t columns);

    std::size_t size() const noexcept {
        return rows_;
    }
    bool empty() const noexcept {
        return rows_ == 0;
    }

    bool is_null(std::size_t row, std::size_t column) const {
        return !cell(row, column);
    }
    // The readers below take a NULL for a bug of the caller (XX000), but for the optional ones.
    const string &text(std::size_t row, std::size_t column) const;
    std::optional<string> optional_text(std::size_t row, std::size_t column) const {
        return cell(row, column);
    }
    std::int64_t int8(std::size_t row, std::size_t column) const;
    std::optional<std::int64_t> optional_int8(std::size_t row, std::size_t column) const;
    // A bigint[] without NULLs.
    std::optional<vector<std::int64_t>> optional_int8_array(std::size_t row, std::size_t column) const;
    bool boolean(std::size_t row, std::size_t column) const;
    Oid oid(std::size_t row, std::size_t column) const;

private:
    const std::optional<string> &cell(std::size_t row, std::size_t column) const;

    std::size_t rows_ = 0;
    std::size_t columns_ = 0;
    vector<std::optional<string>> cells_;
};

// A statement of the catalog that a session runs again and again: its plan is kept for the session, and made without a
// look at the parameters.
class kept {
public:
    explicit kept(const char *statement) noexcept : statement_(statement) {}
    explicit kept(const string &statement) noexcept : statement_(statement.c_str()) {}
    const char *statement() const noexcept {
        return statement_;
    }

private:
    const char *statement_;
};

// Runs one statement with parameters $1..$n as the current user and returns its rows; use SELECT x::text (or ::oid)
// for whatever is not plainly text, int8 or boolean. Raises what the statement raises.
result query(const char *statement, std::initializer_list<value> parameters = {});
inline result query(const string &statement, std::initializer_list<value> parameters = {}) {
    return query(statement.c_str(), parameters);
}

result query(const kept &statement, std::initializer_list<value> parameters = {});

// Runs a statement whose rows, if any, do not matter, and returns how many it processed.
std::uint64_t execute(const char *statement, std::initializer_list<value> parameters = {});
inline std::uint64_t execute(const string &statement, std::initializer_list<value> parameters = {}) {
    return execute(statement.c_str(), parameters);
}
std::uint64_t execute(const kept &statement, std::initializer_list<value> parameters = {});

} // namespace etl::pg
