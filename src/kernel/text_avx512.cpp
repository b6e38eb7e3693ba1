// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#if defined(__x86_64__)

#include "kernel/clean_car_plate.hpp"
#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vin.hpp"
#include "kernel/clean_vins.hpp"
#include "kernel/text_kernels.hpp"

#include <immintrin.h>

#define ETL_TARGET [[gnu::target("avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")]]
#define ETL_INLINE ETL_TARGET [[gnu::always_inline]]

namespace etl::kernel {

namespace {

using mask = std::uint64_t;

// Registers of 256 bits are enough for a text, and no processor slows down for them.
struct block {
    __m256i bytes;

    ETL_INLINE explicit block(__m256i from) noexcept : bytes(from) {}
    ETL_INLINE explicit block(const char *from) noexcept
        : bytes(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from))) {}
    ETL_INLINE mask in_range(unsigned char least, unsigned char most) const noexcept {
        return _mm256_cmple_epu8_mask(_mm256_sub_epi8(bytes, all(least)),
                                      all(static_cast<unsigned char>(most - least)));
    }
    ETL_INLINE mask equal(unsigned char byte) const noexcept {
        return _mm256_cmpeq_epi8_mask(bytes, all(byte));
    }
    ETL_INLINE block folded() const noexcept {
        return block(_mm256_or_si256(bytes, all(0x20)));
    }
    ETL_INLINE block raised() const noexcept {
        const __mmask32 letters = _mm256_cmpge_epu8_mask(bytes, all(0x40));
        return block(_mm256_mask_blend_epi8(letters, bytes, _mm256_andnot_si256(all(0x20), bytes)));
    }
    ETL_INLINE void store_kept(mask kept, char *to) const noexcept {
        const __m256i packed = _mm256_maskz_compress_epi8(static_cast<__mmask32>(kept), bytes);
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), packed);
    }

private:
    ETL_INLINE static __m256i all(unsigned char byte) noexcept {
        return _mm256_set1_epi8(static_cast<char>(byte));
    }
};

#include "kernel/text_rows.hpp"

} // namespace

const text_kernels avx512_text_kernels = {clean_vin_rows, clean_car_plate_rows};

} // namespace etl::kernel

#endif
