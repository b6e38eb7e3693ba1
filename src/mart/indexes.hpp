// C++ regime: indexes of a portal's table that match those of the mart.
#pragma once

#include "mart/name.hpp"

namespace etl::mart {

// Builds what `on` lacks of the mart's indexes and their constraints, so that attaching it builds nothing. Takes ACCESS
// EXCLUSIVE for the constraints. base, suffix: the names of new ones are derived from base + the index's own suffix +
// suffix.
void build_missing_indexes(const table &mart, const table &on, std::string_view base, std::string_view suffix);

// The statements, each with "; " behind it, that make constraints of the staging table's indexes, as the mart has them.
pg::string constraint_statements(const table &mart, const table &staging, std::string_view portal, std::int64_t run);

// Gives the indexes of an attached partition the names that belong to `partition`, as far as they are free.
void rename_indexes(const table &mart, const table &partition);

// Appends _old to the names of a table's indexes.
void rename_indexes_old(const table &of);

// An index on its way from a name with _old to the one without, which another table's index still has.
struct renamed_index {
    pg::string from; // for the time being
    pg::string to;
};
pg::vector<renamed_index> unname_indexes_old(const table &of);
void finish_renaming(const table &of, const pg::vector<renamed_index> &indexes);

} // namespace etl::mart
