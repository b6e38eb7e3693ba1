// C++ regime: replaced partitions, kept beside the mart as <partition>_old.
#pragma once

#include "mart/name.hpp"
#include "mart/partition.hpp"

namespace etl::mart {

// Name of the constraint that proves a table's portal to ATTACH.
constexpr const char *portal_constraint = "pg_etl_portal";

// CHECK (portal IS NOT NULL AND portal = '...'), as PostgreSQL itself writes a partition's constraint.
pg::string portal_check(const table &mart, std::string_view portal);
bool has_portal_constraint(Oid table);
pg::string portal_constraint_statement(const table &mart, const table &on, std::string_view portal);

// The name that the portal's next partition gets: that of the one it replaces, where this lies in the mart's schema.
pg::string final_name(const table &mart, std::string_view portal, const std::optional<table> &replaced);

// The table <partition>_old, if there is one; 42P07 with a hint where it is not the one that set_aside left there. It is
// known by its comment, which CREATE TABLE (LIKE ... INCLUDING ALL) does not copy as it does the constraint.
std::optional<table> find_old(const table &mart, std::string_view portal, std::string_view partition);

// Locks what find_old has found. False where it is not <partition>_old any more: who drops it (etl_forget_old) needs no
// lock on the mart.
bool lock_old(const table &mart, std::string_view portal, std::string_view partition, const table &old);

// Drops it, or renames it aside with a warning where something depends on it.
void dispose_old(const table &old);

// Detaches the partition and makes it the <partition>_old of `partition`, with its indexes and a comment that says so.
// Nothing may have that name any more.
void set_aside(const table &mart, std::string_view portal, const table &replaced, std::string_view partition);

// The comment that a table set aside had before.
std::optional<pg::string> comment_before(const table &old);

} // namespace etl::mart
