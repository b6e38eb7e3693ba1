// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/column.hpp"
#include "kernel/instruction_set.hpp"
#include "kernel/plate_alphabet.hpp"

namespace etl::kernel {

// The kernels over texts as one instruction set has them: a file text_SET.cpp each.
struct text_kernels {
    void (*clean_vins)(const text_column &texts, std::size_t n, const short_cells &out) noexcept;
    void (*clean_car_plates)(const text_column &texts, std::size_t n, const plate_alphabet &alphabet,
                             const short_cells &out) noexcept;
};

extern const text_kernels scalar_text_kernels;
#if defined(__x86_64__)
extern const text_kernels sse_text_kernels, avx2_text_kernels, avx512_text_kernels;
#elif defined(__aarch64__)
extern const text_kernels neon_text_kernels;
#endif

// Those of another machine are the scalar ones.
const text_kernels &text_kernels_of(instruction_set set) noexcept;

// A row in plain C++: for the instruction sets too, where a text is long or has unusual characters.
void clean_vin_row(const text_column &texts, std::size_t row, const short_cells &out) noexcept;
void clean_car_plate_row(const text_column &texts, std::size_t row, const plate_alphabet &alphabet,
                         const short_cells &out) noexcept;

} // namespace etl::kernel
