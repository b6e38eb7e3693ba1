// Boundary: memory in large pages; systems without them take it as it is.
#include "pg/large.hpp"

#include <sys/mman.h>

namespace etl::pg {

void *allocate_large(MemoryContext context, std::size_t size) {
    void *piece = ::MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE);
#ifdef MADV_HUGEPAGE
    constexpr std::uintptr_t large_page = std::uintptr_t{2} * 1024 * 1024;
    const std::uintptr_t from = reinterpret_cast<std::uintptr_t>(piece);
    const std::uintptr_t first = (from + large_page - 1) / large_page * large_page;
    const std::uintptr_t end = (from + size) / large_page * large_page;
    if (first < end)
        (void)madvise(reinterpret_cast<void *>(first), end - first, MADV_HUGEPAGE);
#endif
    return piece;
}

} // namespace etl::pg
