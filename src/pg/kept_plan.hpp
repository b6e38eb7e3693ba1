// Boundary: plans that a session keeps.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace etl::pg {

// The plan of a statement with parameters, made once a session and without a look at the parameters, for statements of
// the catalog that are run again and again. To be called between SPI_connect and SPI_finish; may ereport.
SPIPlanPtr kept_plan(const char *statement, int count, Oid *types);

} // namespace etl::pg
