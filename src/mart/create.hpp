// C++ regime: making a mart where there is none, and its indexes.
#pragma once

#include "mart/name.hpp"

namespace etl::mart {

constexpr const char *mart_comment = "Mart built by pg_etl, partitioned by portal";

// A table partitioned by LIST (portal) with the view's columns and the contract's indexes.
Oid create_mart(const qualified_name &name, Oid view);

// Tells that a unique index got the partition key. `columns`: what it had before, as SQL.
void notice_portal_appended(std::string_view index, std::string_view columns);

} // namespace etl::mart
