// C++ regime: the names of marts and of what belongs to them.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

struct qualified_name {
    pg::string schema;
    pg::string name;
};

// Reads a name in SQL syntax. Without a schema it stands for what the search_path in force finds, or would make.
// 42602 if it is no name, 42601 if it has more than two parts, 42622 if one is too long, 3F000 without such a schema.
qualified_name parse_name(std::string_view text);

// <mart>_<portal>: the partition's name, unless the partition that it replaces has another.
pg::string partition_name(const table &mart, std::string_view portal);
pg::string staging_name(const table &mart, std::string_view portal, std::int64_t run);
// <partition>_old
pg::string old_name(std::string_view partition);
// The comment by which a staging table is known until it is published.
pg::string staging_comment(const table &mart, std::string_view portal, std::int64_t run);
bool is_staging_comment(std::string_view comment);
// What follows the mart's name in the name of one of its indexes: "_lid_make".
pg::string index_suffix(const table &mart, std::string_view index);

} // namespace etl::mart
