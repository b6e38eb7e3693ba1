// Boundary: large pieces of memory that are read at random. May ereport.
#pragma once

#include "pg/postgres.hpp"

namespace etl::pg {

// Uninitialised memory of the context. The system is asked for large pages for it, where the piece has room for some, so
// that random places of it are found without a walk through tables of pages, and it is there in few faults.
void *allocate_large(MemoryContext context, std::size_t size);

} // namespace etl::pg
