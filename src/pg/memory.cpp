// Boundary: memory contexts.
#include "pg/guard.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace etl::pg {

owned_context::owned_context(const char *name, MemoryContext parent)
    : context_(call([=] { return AllocSetContextCreateInternal(parent, name, ALLOCSET_DEFAULT_SIZES); })) {}

void prefer_huge_pages([[maybe_unused]] void *memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    constexpr std::uintptr_t page = std::uintptr_t{1} << 21;
    const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t from = (start + page - 1) & ~(page - 1), to = (start + bytes) & ~(page - 1);
    if (from < to)
        (void)::madvise(reinterpret_cast<void *>(from), to - from, MADV_HUGEPAGE);
#endif
}

} // namespace etl::pg
