// C++ regime: what has triggers of ours: the tables of a price log or source. Called as the extension's owner.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::watch {

// While one of these lives, DDL is our own, which the event trigger needs not look at.
class own_ddl {
public:
    own_ddl() noexcept {
        depth++;
    }
    ~own_ddl() {
        depth--;
    }
    own_ddl(const own_ddl &) = delete;
    own_ddl &operator=(const own_ddl &) = delete;
    static bool under_way() noexcept {
        return depth > 0;
    }

private:
    static inline int depth = 0;
};

// What one trigger function is put on, and what the catalog says of that. Statements take the name as $1.
struct trigger_set {
    const char *kind;       // of etl.coverage, and in messages
    const char *function;   // without parentheses
    const char *prefix;     // of the triggers' names
    const char *add_member; // of the table $2
    const char *drop_member;
    const char *is_known; // gives a row unless this is a copy that is being restored
    const char *record_gap; // of the cause $2
    const char *note_fault;
    const char *sharers; // what the name is a name of, several of which may watch one table
    const char *too_many;  // the cure for more than most_watchers of them
};

// A price log or source: its root, and all partitions and children of that.
struct watched {
    const trigger_set *triggers;
    pg::string name; // portal of the price log, or OID of the source
    Oid root;
};
watched price_log_of(const catalog::portal &portal);
watched capture_of(Oid source);

// 42809 where the root, a partition or a child is no ordinary or partitioned table.
void require_tables(const watched &one, const char *hint);
// Gives every table the triggers that it lacks, and records the table. Returns the tables that are new.
pg::vector<Oid> attach_missing(const watched &one);
// Removes the triggers from one table, unless they are there for another root as well, and forgets the table.
void detach_one(const watched &one, Oid relation);
void detach_all(const watched &one);
// Looks for what has come, what has gone, and what may have gone around the triggers.
void follow(const watched &one);
// What keeps the triggers from seeing all that is written.
std::optional<pg::string> fault_of(const watched &one);
// Makes every session look again at what is watched, and how, once this transaction commits.
void forget_members(const watched &one);

} // namespace etl::watch
