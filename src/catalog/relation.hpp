// C++ regime: relations that users name: what they may be, and by which name they are found again.
#pragma once

#include "pg/spi.hpp"

namespace etl::catalog {

// A column that a source must have, and of which types it may be (NULL-terminated names; none: any).
struct column_need {
    const char *name;
    std::initializer_list<Oid> types;
    const char *types_in_words;
};

// Raises 42P01 if the relation is gone; 42809 unless it is a table, partitioned table, foreign table, view or
// materialized view, not temporary, of no system schema and not the extension's own; 42703 and 42804 for its columns.
// what: its role, as in `listing relation`.
void check_source(const char *what, Oid relation, std::initializer_list<column_need> columns);

// Executes a query of those columns that reads no row, as `owner`, so that missing rights and row security show now.
void probe_source(Oid owner, const char *what, Oid relation, std::initializer_list<column_need> columns);

// Runs a statement as pg::execute does; a missing right or row security gets a hint.
void execute_with_hints(const pg::string &statement);

// The relation of that name (quoted, schema-qualified), or 0; looked up as the current user.
Oid find_relation(std::string_view name);

// The relation itself while it exists, under whatever name; raises nothing.
bool relation_exists(Oid relation);

// 42501 unless `owner` may log in: before PostgreSQL 17 a background worker cannot become a role that may not.
void require_login(Oid owner);

} // namespace etl::catalog
