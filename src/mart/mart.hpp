// C++ regime: the mart's tables. Every function acts as the current user, who is the make's owner or acts as such
// (pg::owner_scope), and leaves the transaction to its caller.
#pragma once

#include "pg/spi.hpp"

namespace etl::mart {

struct partition {
    pg::string portal;
    Oid staging;
};

// Makes, replaces or takes over the mart that `name` (SQL syntax: schema.relation, quoted where needed) stands for.
// view: a source view of the make, whose columns a new mart gets; without one a mart that does not exist is refused
// (55000). An empty plain table is replaced by a partitioned one with the same columns, defaults, owner, grants,
// comments and indexes; anything that can't be carried over is refused with a hint.
Oid prepare(std::string_view name, std::optional<Oid> view);

// Checks that the view's rows fit the mart: each column of the view is a column of the mart that its type can be
// assigned to, and what else the mart has may be left out. 42703, 42804, 23502, each with the names.
void check_fit(Oid mart, Oid view);

// An empty plain table beside the mart for the rows of one portal in one run: columns, defaults and checks of the mart,
// and CHECK (portal IS NOT NULL AND portal = '...'), which lets ATTACH skip its scan; no index, autovacuum off while it is
// loaded. Owned by the current user.
// 55000, 42501 and 42P07 where publish could not put it in its place.
Oid create_staging(Oid mart, std::string_view portal, std::int64_t run);
// Drops it. False where there is nothing to drop: it is gone, it was published (whatever became of it since), or it is
// not the current user's.
bool drop_staging(Oid staging);

// The mart's indexes, those of constraints included, unique ones first.
pg::vector<Oid> indexes(Oid mart);
// The statement that builds one of them on the portal's staging table (its name as create_staging gives it). Index tasks
// of one portal run at the same time under SHARE locks, so the index's constraint is left to the check.
pg::string index_statement(Oid mart, Oid parent_index, std::string_view portal, std::int64_t run);
// What builds may take.
struct means {
    int memory;    // kB
    int processes; // besides this one
};
// Builds several of them. Returns how many rows the table has, where a build has told.
std::optional<std::int64_t> build_indexes(Oid mart, const pg::vector<Oid> &parent_indexes, std::string_view portal,
                                          std::int64_t run, Oid staging, means allowed);

// Makes constraints of the indexes that are some in the mart, has the rows counted unless the index builds have found as
// many as the chunks wrote, and checks that every index of the mart has its match. XX001 where rows differ.
struct row_counts {
    std::int64_t written;
    bool found;
};
pg::string check_statement(Oid mart, std::string_view portal, std::int64_t run);
void check_staging(Oid mart, std::string_view portal, std::int64_t run, Oid staging, const row_counts &rows);

// Statistics of the portal's staging table, so that no reader meets a partition without: of columns that have an index, or
// all where indexes compute something. Then, once readers have it, of the partitions' other columns and of the mart as a
// whole. The mart's by etl.statistics_target, the partition's by two fifths of it where autovacuum will refine them.
pg::string analyze_statement(Oid mart, std::string_view portal, std::int64_t run);
void analyze_staging(Oid mart, Oid staging);
void analyze_mart(Oid mart, const pg::vector<partition> &filled);

// Attaches all staging tables in place of the portals' partitions; replaced ones stay beside as <partition>_old, and
// what was <partition>_old before is dropped. All or nothing, in the caller's transaction.
pg::string publish_statement(Oid mart, const pg::vector<pg::string> &portals, std::int64_t run);
void publish(Oid mart, const pg::vector<partition> &partitions);

// Swaps the portals' partitions with their <partition>_old. 55000 where there is none.
void revert(Oid mart, const pg::vector<pg::string> &portals);
// Drops the <partition>_old tables of the mart, and returns how many there were.
int forget_old(Oid mart, const pg::vector<pg::string> &portals);

} // namespace etl::mart
