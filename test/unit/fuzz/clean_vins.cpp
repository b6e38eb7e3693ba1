// C++ regime: may throw, never calls PostgreSQL
#include "kernel/clean_vins.hpp"
#include "reference.hpp"
#include "rows.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::vector<columns::maybe_text> rows = fuzz::rows(data, size);
    std::vector<columns::maybe_text> expected;
    for (const columns::maybe_text &row : rows)
        expected.push_back(row ? columns::null_if_empty(reference::clean_vin(*row)) : columns::maybe_text());
    const columns::texts texts(rows);
    for (const etl::kernel::instruction_set set : columns::instruction_sets()) {
        const columns::cells cells(rows.size(), etl::kernel::vin_stride);
        etl::kernel::clean_vins(texts.column(), rows.size(), cells.out(), set);
        fuzz::require(cells.taken() == expected);
    }
    return 0;
}
