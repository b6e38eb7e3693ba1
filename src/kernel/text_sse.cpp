// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#if defined(__x86_64__)

#include "kernel/clean_car_plate.hpp"
#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vin.hpp"
#include "kernel/clean_vins.hpp"
#include "kernel/text_compress.hpp"
#include "kernel/text_kernels.hpp"

#include <immintrin.h>

#define ETL_TARGET [[gnu::target("ssse3,popcnt")]]
#define ETL_INLINE ETL_TARGET [[gnu::always_inline]]

namespace etl::kernel {

namespace {

using mask = std::uint64_t;

struct block {
    __m128i low, high;

    ETL_INLINE block(__m128i low_bytes, __m128i high_bytes) noexcept : low(low_bytes), high(high_bytes) {}
    ETL_INLINE explicit block(const char *from) noexcept
        : low(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from))),
          high(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from + 16))) {}
    ETL_INLINE mask in_range(unsigned char least, unsigned char most) const noexcept {
        const __m128i width = all(static_cast<unsigned char>(most - least));
        const __m128i low_above = _mm_sub_epi8(low, all(least)), high_above = _mm_sub_epi8(high, all(least));
        return bits(_mm_cmpeq_epi8(_mm_min_epu8(low_above, width), low_above),
                    _mm_cmpeq_epi8(_mm_min_epu8(high_above, width), high_above));
    }
    ETL_INLINE mask equal(unsigned char byte) const noexcept {
        return bits(_mm_cmpeq_epi8(low, all(byte)), _mm_cmpeq_epi8(high, all(byte)));
    }
    ETL_INLINE block folded() const noexcept {
        return {_mm_or_si128(low, all(0x20)), _mm_or_si128(high, all(0x20))};
    }
    ETL_INLINE block raised() const noexcept {
        return {raised(low), raised(high)};
    }
    ETL_INLINE void store_kept(mask kept, char *to) const noexcept {
        if ((kept & (kept + 1)) == 0) { // nothing is dropped in front of a byte that is kept
            _mm_storeu_si128(reinterpret_cast<__m128i *>(to), low);
            _mm_storeu_si128(reinterpret_cast<__m128i *>(to + 16), high);
            return;
        }
        for (const __m128i part : {low, _mm_srli_si128(low, 8), high, _mm_srli_si128(high, 8)}) {
            const mask here = kept & 0xff;
            const __m128i order = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(kept_first_of.order[here]));
            _mm_storel_epi64(reinterpret_cast<__m128i *>(to), _mm_shuffle_epi8(part, order));
            to += __builtin_popcountll(here);
            kept >>= 8;
        }
    }

private:
    ETL_INLINE static __m128i all(unsigned char byte) noexcept {
        return _mm_set1_epi8(static_cast<char>(byte));
    }
    ETL_INLINE static __m128i raised(__m128i bytes) noexcept {
        const __m128i letters = _mm_cmpeq_epi8(_mm_max_epu8(bytes, all(0x40)), bytes);
        return _mm_andnot_si128(_mm_and_si128(letters, all(0x20)), bytes);
    }
    ETL_INLINE static mask bits(__m128i low_bytes, __m128i high_bytes) noexcept {
        return static_cast<mask>(_mm_movemask_epi8(low_bytes)) | static_cast<mask>(_mm_movemask_epi8(high_bytes)) << 16;
    }
};

#include "kernel/text_rows.hpp"

} // namespace

const text_kernels sse_text_kernels = {clean_vin_rows, clean_car_plate_rows};

} // namespace etl::kernel

#endif
