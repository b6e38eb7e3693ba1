// PG regime: which lids a change in a source touches, as queries.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/pg_list.h"
}

namespace etl::sync {

// One relation that a source view reads, and the query of the lids that its rows touch: SELECT lid, modified. The lids
// are those of the relation's own column that is equal to the key, or of the rows that it is joined to (fans_out).
struct touching {
    Oid relation;
    const char *query;
    bool fans_out;
    bool zoneless;   // `modified` is a date or a timestamp without time zone: as the writer's clock on the wall had it
    const char *key; // its own column that is equal to the key; null: it has none
    const char *needed; // the column without whose value, the lid, the view gives no row; null: it may give one without
};

struct touched_lids {
    List *relations;      // of touching *
    const char *obstacle; // why it can't be told from `modified` what has changed; null: it can
};

// A plain join tells for each of its relations what its rows touch, if the relation has a column `modified` of a time
// type and is joined, directly, on the key or to a relation that is. A superset: conditions of the view are left out.
// Takes ACCESS SHARE on the view and its relations. 42P01 if the view is gone.
touched_lids find_touched(Oid view);

} // namespace etl::sync
