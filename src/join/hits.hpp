// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "join/pass.hpp"
#include "kernel/fetch.hpp"

namespace etl::join {

// A row of the driving relation, copied out of its page, and what belongs to it.
struct hit {
    HeapTupleHeader row;
    std::uint32_t length;
    partners *found;
};

// Hits of several pages, all of one pass, so that many rows can be worked on together. As few as fit the second-level
// cache with all that is made of them; few bytes where rows are long.
constexpr int most_hits = 64;
struct hits {
    char *copies;
    std::size_t used; // bytes of them
    int count;
    int next; // of the list
    hit list[most_hits];
    pg::page_rows rows; // the page that is being read
    partners *found[pg::most_page_rows];
    int on_page, taken; // hits of that page
};

// Has what a hit is joined to on its way to the cache.
inline void prefetch_partners(const hit &one, const pass &keys) {
    constexpr int line = 64;
    for (int i = 0; i < keys.count - 1; i++)
        if (const char *kept = reinterpret_cast<const char *>(one.found->rows[i])) {
            kernel::fetch(kept);
            __builtin_prefetch(kept + line);
        }
}

void start_hits(hits &self, MemoryContext memory);
// Forgets the hits and takes up the next ones; false if there are none left. What the walks need is made in the current
// context.
bool next_hits(hits &self, pass &keys);

} // namespace etl::join
