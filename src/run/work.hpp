// C++ regime: doing what a task says, and marking it done, in one transaction.
#pragma once

#include "mart/mart.hpp"
#include "run/claim.hpp"
#include "run/company.hpp"

namespace etl::run {

// What a worker keeps while it serves a run.
struct assignment {
    record run;
    catalog::make make;         // of a seed
    pg::string settings;        // jsonb, those of the make
};

assignment read_assignment(const record &run);
// The tables that the run fills, by portal: staging tables, partitions of the mart once they are published.
pg::vector<mart::partition> stagings(const record &run);

// Does the task's work and marks it done; the caller's transaction commits both. Acts as the owner.
void perform(const assignment &duty, const task &todo);

// The publish task: waits for older snapshots, then tries under lock_timeout until it has got its locks. It runs its own
// transactions, short ones while it waits, and is called outside of any. While it waits it is in nobody's company.
void perform_publish(const assignment &duty, const task &todo, company &with);

// Whether syncs have left so many dead rows behind in the partition that they are worth a vacuum.
bool is_littered(Oid partition);

// The vacuum task of a sync: vacuums the portal's partition where syncs have left enough dead rows behind to be worth it. It
// runs its own transactions and is called outside of any; the vacuum itself holds no snapshot.
void perform_vacuum(const assignment &duty, const task &todo);

} // namespace etl::run
