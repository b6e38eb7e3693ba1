// PG regime: bringing a price state in step with a statement, or with the log.
#pragma once

#include "watch/gather.hpp"

namespace etl::watch {

// Hears of every lid that has another last price than before; that of a state that has no events is none.
using listener = void (*)(void *whom, const kernel::price_state &before, const kernel::price_state &after);

struct price_target {
    Oid log; // the portal's, whichever of its partitions was written to
    Oid state;
    listener tell; // may be nullptr
    void *whom;
};

// Takes the events of a statement into the price state, lid by lid in ascending order. Where an event that was removed
// may have been an extreme, the lid is folded anew from the log: its row is locked first, and made where there is none,
// so that nobody else is at that lid, and then the log is read with a snapshot that is newer than all these locks.
// False where the price state is not fit to be written, or the log not to be read.
bool apply(const price_target &target, const fold::event_coding &coding, gathered &events);

// Folds lids (ascending, each once) anew in that way, whatever their rows say. Returns the rows written; -1 for false.
std::int64_t refold(const price_target &target, const std::int64_t *lids, std::size_t count);

// Empties the price state of a log that was emptied. False as above.
bool clear(const price_target &target, const fold::event_coding &coding);

// A fold chunk says so before it takes its snapshot, and waits until those have ended who may not have heard it.
// Whoever leaves a lid without a row from then on queues it in etl.price_removal, for the chunk to fold anew.
void announce_fold(Oid state);

} // namespace etl::watch
