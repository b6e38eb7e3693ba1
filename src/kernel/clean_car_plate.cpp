// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/clean_car_plate.hpp"

#include <algorithm>
#include <cstring>

namespace etl::kernel {

std::size_t plate_cleaner::feed(std::string_view text, std::size_t from, std::size_t until) noexcept {
    until = std::min(until, text.size());
    while (from < until) {
        const auto lead = static_cast<unsigned char>(text[from]);
        const std::size_t size = std::min<std::size_t>(alphabet_.size_by_lead[lead], text.size() - from);
        std::string_view kept;
        if (size == 1)
            kept = alphabet_.single(lead);
        else
            kept = alphabet_.wide(text.substr(from, size));
        from += size;
        if (kept.empty())
            continue;
        if (characters_ >= longest) {
            characters_ = longest + 1;
            return text.size();
        }
        std::memcpy(kept_ + bytes_, kept.data(), kept.size());
        bytes_ += kept.size();
        characters_++;
    }
    return from;
}

std::string_view plate_cleaner::result() const noexcept {
    if (characters_ < shortest || characters_ > longest)
        return {};
    return {kept_, bytes_};
}

} // namespace etl::kernel
