// Boundary: pages that a heap grows by, many at a time. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/hio.h"
#include "storage/buf.h"
#include "utils/rel.h"
}

namespace etl::pg {

// Empty pages from a heap's end, pinned until they are filled, so that an insert need not take the heap's extension
// lock and write a page of zeros for each one. From PostgreSQL 16 on inserts do the same themselves, and there are
// none. Lasts as long as the memory context that it was made in; pins belong to the resource owner that is current when
// pages are taken, as those of a bulk insert do.
struct new_pages;

// Null where the relation is not one that we let grow: of another access method, temporary.
new_pages *begin_new_pages(Relation heap, BufferAccessStrategy strategy);

// Lets the bulk insert go on with the next empty page. Twice as many are taken each time, but no more than `most`,
// which the caller expects to fill. Others may have found the page meanwhile, and have put rows there: then the insert
// looks for room itself.
void go_on_with_new_page(new_pages *pages, BulkInsertState insert, int most);

// Leaves what pages are left to others.
void end_new_pages(new_pages *pages);

} // namespace etl::pg
