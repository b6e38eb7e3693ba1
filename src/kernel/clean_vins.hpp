// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/column.hpp"
#include "kernel/instruction_set.hpp"

namespace etl::kernel {

constexpr std::size_t vin_stride = 32;

// As vin_cleaner (clean_vin.hpp), for the n rows of a column. What is no VIN is NULL.
void clean_vins(const text_column &texts, std::size_t n, const short_cells &out,
                instruction_set set = best_instruction_set()) noexcept;

} // namespace etl::kernel
