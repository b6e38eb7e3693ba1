// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#if defined(__x86_64__)

#include "kernel/clean_car_plate.hpp"
#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vin.hpp"
#include "kernel/clean_vins.hpp"
#include "kernel/text_compress.hpp"
#include "kernel/text_kernels.hpp"

#include <immintrin.h>

#define ETL_TARGET [[gnu::target("avx2,bmi,bmi2,popcnt")]]
#define ETL_INLINE ETL_TARGET [[gnu::always_inline]]

namespace etl::kernel {

namespace {

using mask = std::uint64_t;

struct block {
    __m256i bytes;

    ETL_INLINE explicit block(__m256i from) noexcept : bytes(from) {}
    ETL_INLINE explicit block(const char *from) noexcept
        : bytes(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from))) {}
    ETL_INLINE mask in_range(unsigned char least, unsigned char most) const noexcept {
        const __m256i above = _mm256_sub_epi8(bytes, all(least));
        return bits(_mm256_cmpeq_epi8(_mm256_min_epu8(above, all(static_cast<unsigned char>(most - least))), above));
    }
    ETL_INLINE mask equal(unsigned char byte) const noexcept {
        return bits(_mm256_cmpeq_epi8(bytes, all(byte)));
    }
    ETL_INLINE block folded() const noexcept {
        return block(_mm256_or_si256(bytes, all(0x20)));
    }
    ETL_INLINE block raised() const noexcept {
        const __m256i letters = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, all(0x40)), bytes);
        return block(_mm256_andnot_si256(_mm256_and_si256(letters, all(0x20)), bytes));
    }
    ETL_INLINE void store_kept(mask kept, char *to) const noexcept {
        if ((kept & (kept + 1)) == 0) { // nothing is dropped in front of a byte that is kept
            _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), bytes);
            return;
        }
        alignas(32) char parts[32];
        _mm256_store_si256(reinterpret_cast<__m256i *>(parts), bytes);
        for (int part = 0; part < 4; part++, kept >>= 8) {
            const mask here = kept & 0xff;
            const __m128i order = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(kept_first_of.order[here]));
            const __m128i from = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(parts + 8 * part));
            _mm_storel_epi64(reinterpret_cast<__m128i *>(to), _mm_shuffle_epi8(from, order));
            to += __builtin_popcountll(here);
        }
    }

private:
    ETL_INLINE static __m256i all(unsigned char byte) noexcept {
        return _mm256_set1_epi8(static_cast<char>(byte));
    }
    ETL_INLINE static mask bits(__m256i bytes) noexcept {
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
    }
};

#include "kernel/text_rows.hpp"

} // namespace

const text_kernels avx2_text_kernels = {clean_vin_rows, clean_car_plate_rows};

} // namespace etl::kernel

#endif
