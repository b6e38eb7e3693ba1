// C++ regime: the life of a task: claimed, done, failed, or found without a worker. Every function but ready_tasks is
// called by a worker, in a transaction of its own, and acts as the extension's owner for its statements only.
#pragma once

#include "pg/lock.hpp"
#include "run/run.hpp"

namespace etl::run {

// Another index task, done along with one (run/together): the same attempt, the first, and the same end.
struct along {
    std::int32_t task_no;
    Oid parent_index;
};

struct task {
    std::int32_t task_no;
    pg::string kind;
    std::optional<pg::string> portal;
    plan::phase phase;
    plan::lid_range range;
    std::optional<pg::vector<std::int64_t>> lids; // of the range; empty: all
    Oid parent_index;
    std::int32_t attempt;
    std::int32_t retries; // after errors that may pass, since the run was last asked for
    bool divisible;       // not begun before, and not of a size that was asked for (run/share)
    pg::vector<along> together = {};
};
pg::vector<std::int64_t> numbers_of(const task &claimed);
// Held by whoever works on the task.
pg::lock_key lock_of(std::int64_t run_id, std::int32_t task_no);

// A task whose worker vanished that often is worked on alone; three more times and it is set aside.
constexpr int crashes_before_alone = 2;
constexpr int crashes_before_set_aside = 5;
// An error that may pass is tried again that often.
constexpr int most_retries = 9;

// Tasks of the run that a worker could take up now, those whose worker vanished included; counts to `limit` only.
std::int64_t ready_tasks(std::int64_t run_id, std::int64_t limit);

// Tasks that a further worker could begin at this moment; counts to `limit` only.
std::int64_t begin_at_once(std::int64_t run_id, std::int64_t limit);

enum class verdict {
    claimed,
    wait,  // a task is ready, but not yet (backoff) or held by another
    alone, // all that is ready is under suspicion: claim again with the server to itself
    leave, // others work on what is left, or the run is paused, cancelled or ended
    turn,  // another run of the make is at work: leave
    ended  // this call ended the run
};
struct claim_result {
    verdict what = verdict::leave;
    std::optional<task> claimed;
    std::int64_t milliseconds = 0; // how long to wait
    // Further tasks that are ready and worth a worker's start, which the find tasks of a sync are not before one is seen
    // to have much to read.
    std::int64_t others = 0;
};

// Takes back tasks whose worker vanished, claims a ready task (its session lock is then held by this process) and counts
// the attempt; or, where nothing is left to do, ends the run. alone: whether no other task runs in this database; only
// then are tasks claimed that are under suspicion, and then no others.
claim_result claim(const record &run, bool alone);
void release(std::int64_t run_id, const task &done) noexcept;

// What became of a task.
struct outcome {
    pg::string costs;                                    // as jsonb
    std::optional<std::int64_t> rows = std::nullopt;     // where it counts them
    std::optional<std::int64_t> compared = std::nullopt; // rows of its range, where it compared them all
    std::optional<std::int64_t> digest = std::nullopt;   // of rows that it loaded or compared
    std::optional<std::int64_t> mark = std::nullopt;     // of what it read, microseconds since 2000-01-01
    std::optional<std::int64_t> rates = std::nullopt;    // the set that it converted with
};

// Marks the task done within the transaction that did its work. 55000 if the claim was lost meanwhile,
// so that nothing of the work is kept.
void mark_done(const record &run, const task &done, const outcome &result);

// Records an error that the task reported: it is tried again, later, if the error may pass, else it has failed.
void mark_error(const record &run, const task &failed, const pg::error_report &report);

// Ends the run as failed, because nobody can even look for its work.
void fail(std::int64_t run_id, const pg::error_report &report);

// Errors that pass by themselves: the world stood in the way, not the task's data.
bool may_pass(const char *sqlstate) noexcept;

// What the run waits for, shown in etl_progress; an empty text for nothing.
void set_waiting_for(std::int64_t run_id, std::string_view what);

} // namespace etl::run
