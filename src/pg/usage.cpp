// Boundary: what this process uses.
#include "pg/usage.hpp"

extern "C" {
#include "executor/instrument.h"
}

namespace etl::pg {

std::uint64_t wal_bytes() noexcept {
    return pgWalUsage.wal_bytes;
}

std::size_t memory_bytes() noexcept {
    return ::MemoryContextMemAllocated(TopMemoryContext, true);
}

} // namespace etl::pg
