// PG regime: rows that were modified of late, read past the executor.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "datatype/timestamp.h"
}

namespace etl::sync {

// A table whose rows tell when they were modified: a timestamp with time zone, and a bigint beside it.
struct timed_rows {
    Oid relation;
    const char *key, *time; // columns
};

struct some_lids {
    bool known; // false: SQL has to tell
    std::int64_t *lids;
    std::int64_t count;
};

// The keys, rising, of the rows that were modified since, or nobody knows when, as a new snapshot sees them. Pages are
// left as they are: they are mostly such as nobody has read since, and to mark their rows as settled would write each
// of them to the write-ahead log. position: of that log, 0 if not known: a page that was written before it has none of
// these rows. Not known of anything but a plain heap with columns of these types, nor of millions. As the current user, who may read the
// columns.
some_lids find_recent(const timed_rows &rows, TimestampTz since, std::uint64_t position);

// Those of some lids, which rise, that an index of the relation has entries for, be it of rows that are gone. Not known
// where there is no such index, or where rows may be in other tables: partitions, children.
some_lids find_indexed(Oid relation, const char *key, const some_lids &lids);

} // namespace etl::sync
