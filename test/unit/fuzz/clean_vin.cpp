// C++ regime: may throw, never calls PostgreSQL
#include "kernel/clean_vin.hpp"
#include "reference.hpp"

#include <cstdint>
#include <cstdlib>

// The first byte says where the text is cut into pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
    const std::size_t cut = std::min<std::size_t>(data[0], text.size());
    etl::kernel::vin_cleaner cleaner;
    cleaner.feed(text.substr(0, cut));
    cleaner.feed(text.substr(cut));
    if (cleaner.result() != reference::clean_vin(text))
        std::abort();
    return 0;
}
