// Boundary: memory contexts.
#include "pg/guard.hpp"

namespace etl::pg {

owned_context::owned_context(const char *name, MemoryContext parent)
    : context_(call([=] { return AllocSetContextCreateInternal(parent, name, ALLOCSET_DEFAULT_SIZES); })) {}

} // namespace etl::pg
