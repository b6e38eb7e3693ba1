// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/column.hpp"
#include "kernel/instruction_set.hpp"
#include "kernel/plate_alphabet.hpp"

namespace etl::kernel {

constexpr std::size_t plate_stride = 64;

// As plate_cleaner (clean_car_plate.hpp), for the n rows of a column. What is no plate is NULL.
void clean_car_plates(const text_column &texts, std::size_t n, const plate_alphabet &alphabet, const short_cells &out,
                      instruction_set set = best_instruction_set()) noexcept;

} // namespace etl::kernel
