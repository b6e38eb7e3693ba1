// PG regime: which keys of a price state somebody else has made meanwhile.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/relcache.h"
}

namespace etl::fold {

// Looks at the keys as they are now, those of transactions under way included; lasts until end_probing().
struct key_probe;
key_probe *begin_probing(Relation table, Oid key, AttrNumber lid);
// How many of these lids (ascending) come before the first that has a row. Waits for nobody.
int count_free(key_probe *probe, const std::int64_t *lids, int count);
void end_probing(key_probe *probe);

} // namespace etl::fold
