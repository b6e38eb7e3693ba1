// C++ regime: the indexes of a plain table, kept as text while the table gives way to a partitioned one.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

struct old_index {
    pg::string name;
    pg::string definition; // CREATE INDEX ..., or ALTER TABLE ... ADD CONSTRAINT ... where it belongs to one
    bool needs_portal;     // unique, and the key has no portal yet
    pg::string key;        // its key columns, for messages
    pg::string tablespace; // empty: that of the database
    std::optional<pg::string> comment;
    std::optional<pg::string> constraint; // the constraint's name
    std::optional<pg::string> constraint_comment;
};

pg::vector<old_index> read_indexes(Oid table);
// Makes the index anew on the table that now has the old one's name; with `portal` and a NOTICE where it needs that.
void create_index(const old_index &like, const table &on);

} // namespace etl::mart
