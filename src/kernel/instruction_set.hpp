// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

namespace etl::kernel {

// What a kernel can be run with. Packages run on other machines than they were built on, so it is chosen at run time.
enum class instruction_set {
    scalar, // plain C++
    sse,    // x86: SSSE3, POPCNT
    avx2,   // x86: AVX2, BMI, BMI2, POPCNT
    avx512, // x86: those and AVX-512 BW, VL, VBMI, VBMI2
    neon    // ARM, 64 bits
};
constexpr instruction_set all_instruction_sets[] = {instruction_set::scalar, instruction_set::sse,
                                                    instruction_set::avx2, instruction_set::avx512,
                                                    instruction_set::neon};

const char *name(instruction_set set) noexcept;

// True if this processor, under this system, can run it.
bool has(instruction_set set) noexcept;

// The widest that it can; asked of the processor once.
instruction_set best_instruction_set() noexcept;

} // namespace etl::kernel
