// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace etl::kernel {

struct keyed_place {
    std::uint64_t key;
    std::uint32_t place;
};

// Sorts by key; equal keys stay in the order in which they are. `spare` has room for as many. Returns where the sorted
// ones are, there or here. Goes through them once for each byte in which keys differ.
inline keyed_place *sort_by_key(keyed_place *places, keyed_place *spare, std::size_t count) noexcept {
    constexpr int bytes = 8;
    std::uint32_t counts[bytes][256] = {};
    bool sorted = true;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < count; i++) {
        const std::uint64_t key = places[i].key;
        sorted &= before <= key;
        before = key;
        for (int byte = 0; byte < bytes; byte++)
            counts[byte][(key >> 8 * byte) & 255]++;
    }
    for (int byte = 0; byte < bytes && !sorted; byte++) {
        if (counts[byte][(before >> 8 * byte) & 255] == count)
            continue;
        std::uint32_t next[256], sum = 0;
        for (int value = 0; value < 256; value++) {
            next[value] = sum;
            sum += counts[byte][value];
        }
        for (std::size_t i = 0; i < count; i++)
            spare[next[(places[i].key >> 8 * byte) & 255]++] = places[i];
        std::swap(places, spare);
    }
    return places;
}

} // namespace etl::kernel
