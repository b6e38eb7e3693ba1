// C++ regime: watching price logs: attaching triggers, following the log's partitions, folding under live writers.
#pragma once

#include "plan/plan.hpp"

namespace etl::watch {

// Attaches what is missing of the triggers, to the log and all its partitions and children. Acts as the extension's
// owner once it is clear that the portal's owner may: TRIGGER on the log. Waits for writers, under lock_timeout.
void attach(const pg::string &portal);
// Removes the triggers; does nothing where there are none. A current price state becomes as_of, as of now.
void detach(const pg::string &portal);
// The same for a portal that is dropped, or gets another log; whoever calls has checked the rights.
void release(const catalog::portal &portal);
// After DDL: new partitions get triggers, lost ones lose them, gaps are recorded.
void follow();
// Sets or, without a channel, ends notifications.
void set_channel(const pg::string &portal, const std::optional<pg::string> &channel);

struct difference {
    std::int64_t lid;
    pg::string column;
    std::optional<pg::string> expected;
    std::optional<pg::string> found;
};
pg::vector<difference> check(const catalog::portal &portal, std::int64_t sample_rows);

bool is_watched(std::string_view portal);

// Makes the price state of the range equal to the log while writers and triggers are at work. Rows are compared with a
// fold of one snapshot: what is missing is inserted; what differs is folded anew under its lock, and so is what was
// inserted but emptied meanwhile. Nothing that a trigger wrote is ever overwritten by something older. Returns the rows
// written. 55P03 and 40P01 where the chunk has to give way to a writer, who has ended by then.
std::int64_t fold_chunk(const catalog::portal &portal, const plan::lid_range &range);

// At the end of a fold chunk; after the last one of the portal the price state gets the state that it has come to.
// Chunks that began before the log was watched wait to be done again; 55006 where the calling one is of these.
void settle(std::int64_t run_id, std::int32_t task_no, std::string_view portal);

} // namespace etl::watch
