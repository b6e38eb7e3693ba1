// Boundary: code of others that PostgreSQL would run for whoever reads a relation.
#pragma once

#include "pg/postgres.hpp"

namespace etl::pg {

struct foreign_code {
    const char *what; // nullptr if there is none
    Oid owner;
};

enum class code_of { reading, reading_and_triggers };

// The first code in the relations, or in what is read with them (children, what views are made of), of a role that has
// not the rights of `role`, unless the owner of the relation has those. Relations whose owner has not are locked in ROW
// EXCLUSIVE mode until the end of the transaction: nobody gives them a valid index, a policy or a check before that.
// Not excluded are new statistics and children, which are seen if they are there at this call. May ereport. Looks at the
// catalog as it is now, whatever snapshot is active.
foreign_code find_foreign_code(const Oid *relations, int count, Oid role, code_of which);

} // namespace etl::pg
