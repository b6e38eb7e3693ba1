// Boundary: procedures that commit between their looks.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// For the length of a CALL outside a transaction block. Raises 25001 inside one.
class procedure {
public:
    procedure(FunctionCallInfo fcinfo, const char *name);
    // Ends the transaction and starts the next, which has no snapshot until it asks for one.
    void commit();
    // To be called at the end; an error on the way leaves it to the transaction's end.
    void finish();
};

} // namespace etl::pg
