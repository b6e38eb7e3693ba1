// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

namespace etl::kernel {

// The format on disk (numeric.c): a header of 16 bits, a second one with the weight in the long form, then digits to
// the base 10000, the first worth 10000^weight. Zeros at either end are left out.
constexpr unsigned form_bits = 0xC000, short_form = 0x8000, special_form = 0xC000, long_negative = 0x4000;
constexpr unsigned special_bits = 0xF000, infinity_bits = 0xD000, minus_infinity_bits = 0xF000;
constexpr unsigned short_negative = 0x2000, short_scale = 0x1F80, long_scale = 0x3FFF;
constexpr int short_scale_shift = 7;
constexpr unsigned short_weight_sign = 0x0040, short_weight = 0x003F;
constexpr int base_digits = 4;

} // namespace etl::kernel
