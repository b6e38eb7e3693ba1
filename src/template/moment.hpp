// PG regime: what makes a result depend on when it is computed, or by whom.
#pragma once

#include "pg/postgres.hpp"

namespace etl::templates {

// Why a template may not call the function, as the rest of a sentence ("is volatile"), or nullptr if it may.
const char *why_not_called(Oid function);

// True if the characters, read as a date or time, would mean the present: now, today, tomorrow, yesterday.
bool names_moment(const char *characters) noexcept;

// True if literals of the type are read as dates or times: these types, and arrays, ranges and domains of them.
bool reads_moments(Oid type);

} // namespace etl::templates
