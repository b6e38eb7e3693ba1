// C++ regime: the tables of a watched price log and the triggers on each. Called as the extension's owner.
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

// 42809 where the log, a partition or a child is no ordinary or partitioned table.
void require_tables(const catalog::portal &portal);
// Gives every table of the log the triggers that it lacks, and records the table. Returns the tables that are new.
pg::vector<Oid> attach_missing(const catalog::portal &portal);
// Removes the triggers from one table, unless another portal watches it, and forgets the table.
void detach_one(std::string_view portal, Oid relation);
void detach_all(std::string_view portal);
// Looks for what has come to the log, gone from it, and may have gone around the triggers.
void follow(const catalog::portal &portal);
// Why the price state can't be in step with the log now.
std::optional<pg::string> fault_of(std::string_view portal);
// Makes every session look again at what is watched, and how, once this transaction commits.
void forget_members(std::string_view portal);

} // namespace etl::watch
