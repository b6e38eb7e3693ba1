// Boundary: rows of a key, found through its B-tree from one key to the next higher one. All of it may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/nbtree.h"
}

namespace etl::pg {

// Where the rows of a key are that its index names; each is the root of a HOT chain, and may be dead.
struct key_rows {
    static constexpr int most = 4;
    int count;
    ItemPointerData rows[most];
};

// Keeps the page of the last key pinned, so the next key is mostly found on it, next to the last. While the pin lasts,
// VACUUM does not free the places that find() named.
class key_search {
public:
    // `index` stays open and locked until close().
    void open(Relation index);
    void close() {
        leave();
    }
    // False where an ordinary scan has to look: the index is not a B-tree on an ascending bigint, or the key has many
    // entries, or entries on more than one page. True with no rows where the key has no entry.
    bool find(std::int64_t key, key_rows &found);
    // Gives up the pin: before a wait, which may be long.
    void leave();

private:
    bool lock_same_page(std::int64_t key);
    bool lock_page(std::int64_t key);
    bool read_page(std::int64_t key, key_rows &found);
    OffsetNumber place_of(std::int64_t key) const;
    OffsetNumber guess(std::int64_t key, int first, int last) const;
    std::int64_t key_at(int place) const;
    bool ends_below(std::int64_t key) const;

    Relation index_;
    bool usable_;
    BTScanInsertData form_;
    Buffer buffer_;
    Page page_;
    std::int64_t last_key_;
    int next_place_; // after that of the last key; 0 on a new page
};

} // namespace etl::pg
