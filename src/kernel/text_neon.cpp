// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#if defined(__aarch64__)

#include "kernel/clean_car_plate.hpp"
#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vin.hpp"
#include "kernel/clean_vins.hpp"
#include "kernel/text_compress.hpp"
#include "kernel/text_kernels.hpp"

#include <arm_neon.h>

#define ETL_TARGET
#define ETL_INLINE [[gnu::always_inline]]

namespace etl::kernel {

namespace {

using mask = std::uint64_t;

struct block {
    uint8x16_t low, high;

    ETL_INLINE block(uint8x16_t low_bytes, uint8x16_t high_bytes) noexcept : low(low_bytes), high(high_bytes) {}
    ETL_INLINE explicit block(const char *from) noexcept
        : low(vld1q_u8(reinterpret_cast<const std::uint8_t *>(from))),
          high(vld1q_u8(reinterpret_cast<const std::uint8_t *>(from + 16))) {}
    ETL_INLINE mask in_range(unsigned char least, unsigned char most) const noexcept {
        const uint8x16_t width = vdupq_n_u8(static_cast<unsigned char>(most - least));
        return bits(vcleq_u8(vsubq_u8(low, vdupq_n_u8(least)), width),
                    vcleq_u8(vsubq_u8(high, vdupq_n_u8(least)), width));
    }
    ETL_INLINE mask equal(unsigned char byte) const noexcept {
        return bits(vceqq_u8(low, vdupq_n_u8(byte)), vceqq_u8(high, vdupq_n_u8(byte)));
    }
    ETL_INLINE block folded() const noexcept {
        return {vorrq_u8(low, vdupq_n_u8(0x20)), vorrq_u8(high, vdupq_n_u8(0x20))};
    }
    ETL_INLINE block raised() const noexcept {
        return {raised(low), raised(high)};
    }
    ETL_INLINE void store_kept(mask kept, char *to) const noexcept {
        auto *at = reinterpret_cast<std::uint8_t *>(to);
        for (const uint8x8_t part : {vget_low_u8(low), vget_high_u8(low), vget_low_u8(high), vget_high_u8(high)}) {
            const mask here = kept & 0xff;
            vst1_u8(at, vtbl1_u8(part, vld1_u8(kept_first_of.order[here])));
            at += __builtin_popcountll(here);
            kept >>= 8;
        }
    }

private:
    ETL_INLINE static uint8x16_t raised(uint8x16_t bytes) noexcept {
        const uint8x16_t letters = vcgeq_u8(bytes, vdupq_n_u8(0x40));
        return vbicq_u8(bytes, vandq_u8(letters, vdupq_n_u8(0x20)));
    }
    // Each byte keeps the bit of its place among eight; pairwise sums bring eight into one byte.
    ETL_INLINE static mask bits(uint8x16_t low_bytes, uint8x16_t high_bytes) noexcept {
        const uint8x16_t places = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const uint8x16_t pairs = vpaddq_u8(vandq_u8(low_bytes, places), vandq_u8(high_bytes, places));
        const uint8x16_t fours = vpaddq_u8(pairs, pairs);
        const uint8x16_t eights = vpaddq_u8(fours, fours);
        return vgetq_lane_u32(vreinterpretq_u32_u8(eights), 0);
    }
};

#include "kernel/text_rows.hpp"

} // namespace

const text_kernels neon_text_kernels = {clean_vin_rows, clean_car_plate_rows};

} // namespace etl::kernel

#endif
