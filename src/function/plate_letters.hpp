// PG regime: may ereport
#pragma once

#include "kernel/plate_alphabet.hpp"

namespace etl::function {

// The letters of a car plate in the encoding of this database; made at the first call, kept for the backend's life.
// Other encodings than UTF8 and SQL_ASCII have those umlauts that PostgreSQL can convert to them; a small umlaut whose
// capital the encoding lacks (EUC_CN) stays as it is.
const kernel::plate_alphabet &plate_letters();

} // namespace etl::function
