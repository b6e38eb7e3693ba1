// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/clean_vin.hpp"

#include "kernel/ascii.hpp"

namespace etl::kernel {

namespace {

constexpr unsigned char refuse = 1;

constexpr byte_map vin_bytes() noexcept {
    byte_map map = upper_alphanumeric();
    for (const char letter : {'I', 'O', 'Q', 'i', 'o', 'q'})
        map.to[static_cast<unsigned char>(letter)] = refuse;
    return map;
}

constexpr byte_map bytes = vin_bytes();

} // namespace

bool vin_cleaner::feed(std::string_view piece) noexcept {
    for (const char character : piece) {
        const unsigned char kept = bytes.to[static_cast<unsigned char>(character)];
        if (kept == dropped)
            continue;
        if (kept == refuse || count_ >= length) {
            count_ = length + 1;
            return false;
        }
        kept_[count_++] = static_cast<char>(kept);
    }
    return true;
}

} // namespace etl::kernel
