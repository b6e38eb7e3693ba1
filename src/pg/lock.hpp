// Boundary: session locks of our own kinds. They belong to a process, survive its transactions and die with it, so they
// tell what is alive. They show in pg_locks as locktype advisory with our objsubid, and SQL's advisory functions cannot
// take or test them.
#pragma once

#include "pg/guard.hpp"

struct LOCKTAG;

namespace etl::pg {

enum class lock_kind : std::uint16_t {
    worker = 0x6574, // (0, slot): one per worker process of the database, etl.max_workers of them
    run_worker,      // (run, slot): one per worker process of a run
    task,            // (run, task_no): its holder works on the task
    alone,           // (0, 0): shared by ordinary tasks, exclusive for a task under suspicion
    steer,           // (run, 0): shared by claims, exclusive for a cancel that commits; both for a transaction only
    removal,         // (price state, 0): shared by transactions that left a lid of it without a row
    folding,         // (price state, 0): shared by fold chunks that are at work on it
    rates            // (digest, digest): of a set of rates; its holder keeps the set, for a transaction only
};

struct lock_key {
    lock_kind kind;
    std::uint32_t run;
    std::uint32_t number;
};

enum class lock_strength { shared, exclusive };

// Takes the lock for the session and says whether it could.
bool try_lock(lock_key key, lock_strength strength = lock_strength::exclusive);
// Waits for it, in the transaction that the caller has begun for that (the deadlock check wants one).
void lock(lock_key key, lock_strength strength = lock_strength::exclusive);
// Gives it back; does nothing if it is lost, as after pg_advisory_unlock_all() in a template's function.
void unlock(lock_key key, lock_strength strength = lock_strength::exclusive) noexcept;

// Takes the lock until the end of the transaction. The second form waits, and is for PG regime: it may ereport.
bool try_lock_in_transaction(lock_key key, lock_strength strength);
void lock_in_transaction(lock_key key);

// For PG regime: takes the lock, shared, until the end of the transaction; says whether somebody shares it (others, as
// long as the caller does not); waits until all have ended who share it now, without keeping others from sharing it.
void share_in_transaction(lock_key key);
bool is_shared_by_others(lock_key key);
void wait_for_sharers(lock_key key);
// For PG regime: waits until all other transactions have ended that write to the table now, or do maintenance on it.
void wait_for_writers(Oid table);

// True if the tag is that of a task of the run, whichever its number.
bool is_task_of(const LOCKTAG &tag, std::uint32_t run) noexcept;

// A session lock that is given back at the end of the scope unless it is kept.
class scoped_lock {
public:
    explicit scoped_lock(lock_key key) : key_(key), held_(try_lock(key)) {}
    ~scoped_lock() {
        if (held_)
            unlock(key_);
    }
    scoped_lock(const scoped_lock &) = delete;
    scoped_lock &operator=(const scoped_lock &) = delete;

    explicit operator bool() const noexcept { return held_; }
    void keep() noexcept { held_ = false; }

private:
    lock_key key_;
    bool held_;
};

// The condition on pg_locks for granted locks of a kind in this database; classid is then the run, objid the number.
string held_locks(lock_kind kind);

} // namespace etl::pg
