// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "pg/large.hpp"

namespace etl::join {

// Memory that is given out piece by piece and taken back as a whole.
struct arena {
    MemoryContext context; // of its own
    char *next;
    std::size_t left;
    std::size_t bytes; // taken from the system, roughly
};

inline arena create_arena(MemoryContext parent) {
    return {AllocSetContextCreate(parent, "etl rows", ALLOCSET_DEFAULT_SIZES), nullptr, 0, 0};
}

inline void *take(arena &memory, std::size_t size) {
    constexpr std::size_t least_block = std::size_t{256} * 1024, most_block = std::size_t{8} * 1024 * 1024;
    size = MAXALIGN(size);
    if (size > memory.left) {
        memory.left = std::max(size, std::clamp(memory.bytes, least_block, most_block));
        memory.next = static_cast<char *>(pg::allocate_large(memory.context, memory.left));
        memory.bytes += memory.left;
    }
    void *piece = memory.next;
    memory.next += size;
    memory.left -= size;
    return piece;
}

inline void reset(arena &memory) {
    ::MemoryContextReset(memory.context);
    memory.next = nullptr;
    memory.left = memory.bytes = 0;
}

} // namespace etl::join
