// C++ regime: several runs of one make take turns; the view etl.turn has the rule.
#pragma once

#include "run/run.hpp"

namespace etl::run {

struct rival {
    std::int64_t run_id;
    pg::string state;
};
// The run of the same make that a queued run waits for; empty where it may go on.
std::optional<rival> stands_before(std::int64_t run_id);

// Tells whoever asked for the run, by NOTICE, if it has to wait its turn.
void say_turn(std::int64_t run_id);

enum class turn {
    ours,
    others,   // another run of the make is at work, or goes first; whoever works there hands on
    contested // another worker is about to begin with a run of the make: look again
};
// Whether a worker may take up tasks of the run. What it says holds until the end of the transaction.
turn whose_turn(const record &run);

// Starts workers at commit for the run whose turn it is when this one of the same make is stopped.
void kick_next(const record &stopped);

} // namespace etl::run
