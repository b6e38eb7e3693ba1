// Boundary: SPI.
#include "pg/spi.hpp"

#include "pg/kept_plan.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
}

#include <cstdlib>

namespace etl::pg {

namespace {

// Everything between SPI_connect and SPI_finish happens under one guard. Cells come out as C strings in `memory`.
struct outcome {
    char **cells;
    std::uint64_t rows;
    int columns;
};

enum class planning { once, kept };

outcome run_statement(const char *statement, planning how, const value *parameters, int count, MemoryContext memory) {
    outcome out{};
    Oid types[32];
    Datum values[32];
    char nulls[32];

    for (int i = 0; i < count; i++) {
        types[i] = parameters[i].type;
        values[i] = parameters[i].datum;
        nulls[i] = parameters[i].is_null ? 'n' : ' ';
    }
    // Functions of others that the statement calls may change settings, the search_path of our next statement among
    // them.
    const int settings = ::NewGUCNestLevel();
    ::SPI_connect();
    // Some callers (a worker between tasks, a callback) come without a snapshot.
    const bool pushed = !::ActiveSnapshotSet();
    if (pushed)
        ::PushActiveSnapshot(::GetTransactionSnapshot());
    const int code = how == planning::kept
                         ? ::SPI_execute_plan(kept_plan(statement, count, types), values, nulls, false, 0)
                         : ::SPI_execute_with_args(statement, count, types, values, nulls, false, 0);
    if (code < 0)
        elog(ERROR, "statement failed with %s: %s", ::SPI_result_code_string(code), statement);
    out.rows = SPI_processed;
    if (SPI_tuptable) {
        const TupleDesc descriptor = SPI_tuptable->tupdesc;
        out.columns = descriptor->natts;
        out.rows = SPI_tuptable->numvals;
        const MemoryContext before = ::MemoryContextSwitchTo(memory);
        out.cells = static_cast<char **>(
            ::palloc_extended(sizeof(char *) * out.rows * static_cast<std::size_t>(out.columns) + 1, MCXT_ALLOC_HUGE));
        for (std::uint64_t row = 0; row < out.rows; row++)
            for (int column = 0; column < out.columns; column++)
                out.cells[row * static_cast<std::uint64_t>(out.columns) + static_cast<std::uint64_t>(column)] =
                    ::SPI_getvalue(SPI_tuptable->vals[row], descriptor, column + 1);
        ::MemoryContextSwitchTo(before);
    }
    if (pushed)
        ::PopActiveSnapshot();
    ::SPI_finish();
    ::AtEOXact_GUC(false, settings);
    return out;
}

outcome run_guarded(const char *statement, planning how, std::initializer_list<value> parameters) {
    const value *first = parameters.begin();
    const int count = static_cast<int>(parameters.size());
    const MemoryContext memory = CurrentMemoryContext;
    return call([=] {
        Assert(count <= 32);
        return run_statement(statement, how, first, count, memory);
    });
}

} // namespace

static result read(const outcome &out) {
    return result(out.cells, static_cast<std::size_t>(out.rows), static_cast<std::size_t>(out.columns));
}

result::result(char **cells, std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns) {
    cells_.reserve(rows * columns);
    for (std::size_t i = 0; i < rows * columns; i++)
        if (cells[i])
            cells_.emplace_back(string(cells[i]));
        else
            cells_.emplace_back(std::nullopt);
}

result query(const char *statement, std::initializer_list<value> parameters) {
    return read(run_guarded(statement, planning::once, parameters));
}

result query(const kept &statement, std::initializer_list<value> parameters) {
    return read(run_guarded(statement.statement(), planning::kept, parameters));
}

std::uint64_t execute(const char *statement, std::initializer_list<value> parameters) {
    return run_guarded(statement, planning::once, parameters).rows;
}

std::uint64_t execute(const kept &statement, std::initializer_list<value> parameters) {
    return run_guarded(statement.statement(), planning::kept, parameters).rows;
}

const std::optional<string> &result::cell(std::size_t row, std::size_t column) const {
    if (row >= rows_ || column >= columns_)
        throw etl::error("XX000", "result cell out of range");
    return cells_[row * columns_ + column];
}

const string &result::text(std::size_t row, std::size_t column) const {
    const std::optional<string> &found = cell(row, column);
    if (!found)
        throw etl::error("XX000", "unexpected NULL in a catalog query");
    return *found;
}

std::int64_t result::int8(std::size_t row, std::size_t column) const {
    return std::strtoll(text(row, column).c_str(), nullptr, 10);
}

std::optional<std::int64_t> result::optional_int8(std::size_t row, std::size_t column) const {
    if (is_null(row, column))
        return std::nullopt;
    return int8(row, column);
}

std::optional<vector<std::int64_t>> result::optional_int8_array(std::size_t row, std::size_t column) const {
    if (is_null(row, column))
        return std::nullopt;
    vector<std::int64_t> elements;
    for (const char *next = text(row, column).c_str() + 1; *next != '\0' && *next != '}';) {
        char *end = nullptr;
        elements.push_back(std::strtoll(next, &end, 10));
        next = *end == ',' ? end + 1 : end;
    }
    return elements;
}

bool result::boolean(std::size_t row, std::size_t column) const {
    return text(row, column) == "t";
}

Oid result::oid(std::size_t row, std::size_t column) const {
    return static_cast<Oid>(std::strtoul(text(row, column).c_str(), nullptr, 10));
}

} // namespace etl::pg
