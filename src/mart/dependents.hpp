// C++ regime: what depends on a table, by pg_depend as a whole, so that no kind of object is forgotten.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

struct dependent {
    pg::string what; // as PostgreSQL describes it: view raw.x
    bool belongs;    // a trigger, rule, policy, foreign key, statistics object or identity sequence of the table itself
    bool publication; // it publishes the table
};

// All but the table's own columns, defaults, types, indexes and constraints of kind check, unique and primary key.
pg::vector<dependent> find_dependents(Oid table);

// Those that neither belong to the table nor publish it, a line each for a DETAIL; empty where there is none.
pg::string list_foreign_dependents(Oid table);

} // namespace etl::mart
