// Boundary: what is named differently in the versions' relation cache.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace etl::pg {

// True if the relation was made, or got a new file, in this transaction. Cannot ereport.
inline bool has_new_storage(Relation relation) noexcept {
#if PG_VERSION_NUM >= 160000
    const SubTransactionId first = relation->rd_firstRelfilelocatorSubid;
#else
    const SubTransactionId first = relation->rd_firstRelfilenodeSubid;
#endif
    return relation->rd_createSubid != InvalidSubTransactionId || first != InvalidSubTransactionId;
}

} // namespace etl::pg
