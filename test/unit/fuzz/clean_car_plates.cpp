// C++ regime: may throw, never calls PostgreSQL
#include "kernel/clean_car_plates.hpp"
#include "reference.hpp"
#include "rows.hpp"

namespace {

void check(const std::vector<columns::maybe_text> &rows, const etl::kernel::plate_alphabet &alphabet) {
    std::vector<columns::maybe_text> expected;
    for (const columns::maybe_text &row : rows)
        expected.push_back(
            !row ? columns::maybe_text()
                 : columns::null_if_empty(reference::clean_car_plate(
                       alphabet.is_utf8 ? reference::utf8_characters(*row) : reference::byte_characters(*row),
                       alphabet.is_utf8 ? reference::utf8_umlauts : reference::byte_umlauts)));
    const columns::texts texts(rows);
    for (const etl::kernel::instruction_set set : columns::instruction_sets()) {
        const columns::cells cells(rows.size(), etl::kernel::plate_stride);
        etl::kernel::clean_car_plates(texts.column(), rows.size(), alphabet, cells.out(), set);
        fuzz::require(cells.taken() == expected);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const etl::kernel::plate_alphabet utf8 = etl::kernel::utf8_plate_alphabet(),
                                             bytes = etl::kernel::byte_plate_alphabet();
    const std::vector<columns::maybe_text> rows = fuzz::rows(data, size);
    check(rows, utf8);
    check(rows, bytes);
    return 0;
}
