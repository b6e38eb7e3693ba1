// C++ regime: runs and tasks as the engine knows them. src/run/README.md has the states and who changes them.
#pragma once

#include "pg/spi.hpp"
#include "pg/worker.hpp"
#include "plan/plan.hpp"

namespace etl::run {

struct record {
    std::int64_t run_id;
    pg::string kind;
    std::optional<pg::string> make;
    std::optional<pg::string> portal;
    pg::string state;
    Oid owner;
    int workers;
    pg::string definition;
    bool of_this_cluster; // false in a copy of the database: the run is dead there
};

// 42704 if there is no such run; the current user must have the owner's rights (42501), else nothing is told about it.
record get(std::int64_t run_id);
std::optional<record> find(std::int64_t run_id);

// The row that a request returns for each portal.
struct shape {
    std::int64_t run_id;
    pg::string portal;
    std::int32_t chunks;
    std::int64_t estimated_rows;
    pg::string state;
};
pg::vector<shape> shape_of(std::int64_t run_id);

// Requests. Each creates a run or resumes the one there is, in the caller's transaction, and returns its number.
std::int64_t request_seed(std::string_view make, std::optional<int> workers, std::optional<std::int64_t> chunk_rows,
                          std::string_view publish);
std::int64_t request_sync(std::string_view make, std::optional<int> workers);
// A run of kind sync that compares all rows of a range of one portal.
std::int64_t request_restate(std::string_view make, std::string_view portal, const plan::lid_range &range);
// level: as verify::level_of knows it.
std::int64_t request_verify(std::string_view make, std::string_view level, bool repair);
// Takes up such a run that has failed or was cancelled, if nothing has changed of what it was planned from; returns 0 else.
std::int64_t restate_again(const record &run);
std::int64_t request_fold(std::string_view portal, std::optional<int> workers);

// Deletes ended runs of the same make, or folds of the same portal, with tasks and events; the last 50 stay.
void forget_ended_runs(const record &newest);

// Steering; each checks the caller's rights and the run's state.
void cancel(std::int64_t run_id);
void pause(std::int64_t run_id);
void resume(std::int64_t run_id);
void retry(std::int64_t run_id);
void publish(std::int64_t run_id);
void revert(std::int64_t run_id);
// Drops the replaced partitions that the make's last publish left beside the mart.
void forget_old(std::string_view make);

// Starts workers for the run, at commit, as many as it may have and has not. Says why where it can't. Where it is not the
// run's turn, one comes to look, and the run that goes before is not forgotten.
void kick(const record &run);
// Starts helpers of a worker at commit, as many as there are tasks ready for and slots free.
void call_helpers(const record &run, std::int64_t tasks);
// The same in the middle of a task, for what is committed already.
void call_helpers_at_once(const record &run);
// Hands on when a worker of `left` leaves: starts a worker for another run that has work and no worker, or is a sync that
// has too few; syncs first, then the oldest. Where that one has the same owner, returns it for this process to go on with,
// which takes no further process slot. Further such runs get a worker each where there is room. may_return: `left` counts
// as well, if it may go on after all.
std::optional<std::int64_t> hand_on(const record &left, bool may_return);
// Starts workers for every run that has work and no worker; called after a crash.
void kick_all();
// How many workers syncs lack, for whom there is no free slot, and that one of a run of `owner` could make room for.
int workers_lacking(Oid owner);
// How many workers of the run are alive.
int live_workers(std::int64_t run_id);

// The SQL condition under which a row of etl.run belongs to this cluster and database.
pg::string this_cluster();

// What a worker calls itself in pg_stat_activity: "volkswagen mobile [12000, 24000)".
pg::string task_title(const record &run, const pg::string &kind, const std::optional<pg::string> &portal,
                      const plan::lid_range &range);

} // namespace etl::run
