// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/instruction_set.hpp"

#include <initializer_list>

namespace etl::kernel {

const char *name(instruction_set set) noexcept {
    switch (set) {
    case instruction_set::scalar:
        return "scalar";
    case instruction_set::sse:
        return "sse";
    case instruction_set::avx2:
        return "avx2";
    case instruction_set::avx512:
        return "avx512";
    case instruction_set::neon:
        return "neon";
    }
    return "unknown";
}

#if defined(__x86_64__)

bool has(instruction_set set) noexcept {
    const bool sse = __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
    const bool avx2 =
        sse && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    switch (set) {
    case instruction_set::scalar:
        return true;
    case instruction_set::sse:
        return sse;
    case instruction_set::avx2:
        return avx2;
    case instruction_set::avx512:
        return avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi2");
    case instruction_set::neon:
        return false;
    }
    return false;
}

#elif defined(__aarch64__)

bool has(instruction_set set) noexcept {
    return set == instruction_set::scalar || set == instruction_set::neon;
}

#else

bool has(instruction_set set) noexcept {
    return set == instruction_set::scalar;
}

#endif

instruction_set best_instruction_set() noexcept {
    static const instruction_set best = [] {
        for (const instruction_set set :
             {instruction_set::avx512, instruction_set::avx2, instruction_set::sse, instruction_set::neon})
            if (has(set))
                return set;
        return instruction_set::scalar;
    }();
    return best;
}

} // namespace etl::kernel
