// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/clean_car_plate.hpp"
#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vin.hpp"
#include "kernel/clean_vins.hpp"
#include "kernel/text_kernels.hpp"

#include <cstring>

namespace etl::kernel {

namespace {

// An empty result is no result.
void put(std::string_view result, char *cell, bool &is_null) noexcept {
    is_null = result.empty();
    if (is_null)
        return; // its data may be a null pointer
    cell[0] = short_header(result.size());
    std::memcpy(cell + 1, result.data(), result.size());
}

void clean_vin_rows(const text_column &texts, std::size_t n, const short_cells &out) noexcept {
    for (std::size_t row = 0; row < n; row++)
        clean_vin_row(texts, row, out);
}

void clean_car_plate_rows(const text_column &texts, std::size_t n, const plate_alphabet &alphabet,
                          const short_cells &out) noexcept {
    for (std::size_t row = 0; row < n; row++)
        clean_car_plate_row(texts, row, alphabet, out);
}

} // namespace

void clean_vin_row(const text_column &texts, std::size_t row, const short_cells &out) noexcept {
    vin_cleaner cleaner;
    if (!texts.null(row))
        cleaner.feed({texts.at(row), texts.size(row)});
    put(cleaner.result(), out.bytes + row * vin_stride, out.is_null[row]);
}

void clean_car_plate_row(const text_column &texts, std::size_t row, const plate_alphabet &alphabet,
                         const short_cells &out) noexcept {
    static_assert(1 + plate_cleaner::longest * plate_alphabet::longest_letter <= plate_stride);
    plate_cleaner cleaner(alphabet);
    if (!texts.null(row))
        cleaner.feed({texts.at(row), texts.size(row)}, 0, texts.size(row));
    put(cleaner.result(), out.bytes + row * plate_stride, out.is_null[row]);
}

const text_kernels scalar_text_kernels = {clean_vin_rows, clean_car_plate_rows};

} // namespace etl::kernel
