// C++ regime: what requests for runs share. All but lock_own_make and warn_of_old_prices act on the catalog, whose
// scope is the caller's.
#pragma once

#include "run/run.hpp"
#include "sync/standing.hpp"

namespace etl::run {

// 22023 where they are out of bounds.
void check_counts(std::optional<int> workers, std::optional<std::int64_t> chunk_rows);

// Locks the make, and its portals against being dropped or refreshed, until the request's rows are committed. 42704,
// 42501; 55000 where workers can't log in as its owner.
catalog::make lock_own_make(std::string_view name);

// Runs that came here with a copy of the database are dead; they must not stand in the way of new ones.
void bury_runs_of_other_clusters();

// The newest run of the same thing, if a request can fall back on it.
struct predecessor {
    std::int64_t run_id;
    pg::string state;
    pg::string definition;
    bool whole; // it has stopped, and its staging tables and what it reads are all there, and what must be folded now
                // it would still fold
};
// Of the kind, for a make as a whole or, for a fold, for a portal.
std::optional<predecessor> newest(const char *kind, std::string_view name);

// Opens an ended run again. Failed tasks get another chance, with a clean record; done ones are kept.
void reopen(std::int64_t run_id, std::string_view why);

// Falls back on the newest run where that is right, says so, and returns its number.
std::optional<std::int64_t> resume_newest(const std::optional<predecessor> &before, std::string_view definition,
                                          std::optional<int> workers, std::optional<std::int64_t> chunk_rows,
                                          std::string_view publish);

struct new_run {
    const char *kind;
    std::optional<std::string_view> make;
    std::optional<std::string_view> portal;
    Oid owner;
    Oid requested_by;
    int workers;
    std::string_view definition;
    std::string_view settings;
    std::optional<std::int64_t> chunk_rows = std::nullopt;
    std::string_view publish = "auto";
};
std::int64_t insert_run(const new_run &wanted);

// Appends tasks to those that the run has.
void add_tasks(std::int64_t run_id, const pg::vector<plan::planned_task> &tasks);

// plan::definition_of, and the partitions that a run works at.
pg::string definition_of(const catalog::make &make, const pg::vector<catalog::source> &sources,
                         const pg::vector<sync::standing> &held);

// Adds the tasks of a new run that works at partitions, and lets its workers start.
void begin_run(std::int64_t run_id, const pg::vector<plan::planned_task> &tasks,
               const pg::vector<catalog::source> &sources, const pg::vector<sync::standing> &held);

// A price state that nobody keeps up is used as it is; the DBA should know how old it is.
void warn_of_old_prices(const pg::vector<catalog::source> &sources);

} // namespace etl::run
