// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/text_kernels.hpp"

#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vins.hpp"

namespace etl::kernel {

const text_kernels &text_kernels_of(instruction_set set) noexcept {
    switch (set) {
#if defined(__x86_64__)
    case instruction_set::sse:
        return sse_text_kernels;
    case instruction_set::avx2:
        return avx2_text_kernels;
    case instruction_set::avx512:
        return avx512_text_kernels;
#elif defined(__aarch64__)
    case instruction_set::neon:
        return neon_text_kernels;
#endif
    default:
        return scalar_text_kernels;
    }
}

void clean_vins(const text_column &texts, std::size_t n, const short_cells &out, instruction_set set) noexcept {
    text_kernels_of(set).clean_vins(texts, n, out);
}

void clean_car_plates(const text_column &texts, std::size_t n, const plate_alphabet &alphabet, const short_cells &out,
                      instruction_set set) noexcept {
    text_kernels_of(set).clean_car_plates(texts, n, alphabet, out);
}

} // namespace etl::kernel
