// C++ regime: may throw, never calls PostgreSQL
#include "kernel/clean_car_plate.hpp"
#include "reference.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

std::string clean(const etl::kernel::plate_alphabet &alphabet, std::string_view text, std::size_t cut) {
    etl::kernel::plate_cleaner cleaner(alphabet);
    cleaner.feed(text, cleaner.feed(text, 0, cut), text.size());
    return std::string(cleaner.result());
}

const etl::kernel::plate_alphabet utf8 = etl::kernel::utf8_plate_alphabet();
const etl::kernel::plate_alphabet bytes = etl::kernel::byte_plate_alphabet();

} // namespace

// The first byte says where the text is cut into pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
    const std::size_t cut = std::min<std::size_t>(data[0], text.size());
    if (clean(utf8, text, cut) != reference::clean_car_plate(reference::utf8_characters(text), reference::utf8_umlauts))
        std::abort();
    if (clean(bytes, text, cut) !=
        reference::clean_car_plate(reference::byte_characters(text), reference::byte_umlauts))
        std::abort();
    return 0;
}
