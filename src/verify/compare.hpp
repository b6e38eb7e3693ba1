// C++ regime: differences between a mart and any relation of the same columns.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::verify {

// The query that gives them, as lid, column_name, mart_value, other_value, by lid and column: values as text where they
// differ; rows that one side has alone in one line, as column lid. Of several rows with one lid those that are equal on both
// sides go first. Compared are the columns that the make's source views give; 42703 names those that one side alone has,
// 42P01 where mart or relation is gone, 42809 where that has no rows, 55000 where the make has no portal. Looks at nothing but the catalog.
pg::string difference_query(const catalog::make &make, Oid relation);

} // namespace etl::verify
