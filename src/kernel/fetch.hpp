// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

namespace etl::kernel {

// Has the line of the cache at `place` on its way. It is a load whose value nobody waits for, and no prefetch: those were
// found to do nothing, in a virtual machine, where the address is in no translation buffer, as random places in many
// megabytes mostly are. So the place must be one that may be read.
inline void fetch(const void *place) noexcept {
    (void)*static_cast<const volatile char *>(place);
}

} // namespace etl::kernel
