// Boundary: session locks of our own kinds. They belong to a process, survive its transactions and die with it, so they
// tell what is alive. They show in pg_locks as locktype advisory with our objsubid, and SQL's advisory functions cannot
// take or test them.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

enum class lock_kind : std::uint16_t {
    worker = 0x6574, // (0, slot): one per worker process of the database, etl.max_workers of them
    run_worker,      // (run, slot): one per worker process of a run
    task,            // (run, task_no): its holder works on the task
    alone            // (0, 0): shared by ordinary tasks, exclusive for a task under suspicion
};

struct lock_key {
    lock_kind kind;
    std::uint32_t run;
    std::uint32_t number;
};

enum class lock_strength { shared, exclusive };

// Takes the lock for the session and says whether it could. Waits only if told to; waiting is interruptible.
bool try_lock(lock_key key, lock_strength strength = lock_strength::exclusive);
void lock(lock_key key, lock_strength strength = lock_strength::exclusive);
void unlock(lock_key key, lock_strength strength = lock_strength::exclusive);

// The condition on pg_locks for granted locks of a kind in this database; classid is then the run, objid the number.
string held_locks(lock_kind kind);

} // namespace etl::pg
