// PG regime: transition tables to states by lid.
#include "watch/gather.hpp"

extern "C" {
#include "executor/executor.h"
}

namespace etl::watch {

namespace {

// Some 40 MB, and what waits in a batch; a statement with more lids is taken in several passes.
constexpr std::size_t most_lids = 500000;
constexpr std::size_t most_wide_bytes = std::size_t{64} * 1024 * 1024;
constexpr std::size_t least_capacity = 16;

} // namespace

gathered::gathered(MemoryContext memory, const fold::event_coding &coding) {
    for (side *one : {&added_, &removed_}) {
        one->states = {memory, nullptr, nullptr, {}, {memory, coding.format, 0}};
        one->batch.count = 0;
    }
}

void gathered::take(side &to, const fold::price_event &event) {
    fold::event_batch &batch = to.batch;
    batch.lid[batch.count] = event.lid;
    batch.day[batch.count] = event.day;
    batch.price[batch.count] = event.price;
    batch.wide[batch.count++] = event.wide;
    // A price without a code lies in the row, which goes before the next one comes.
    if (batch.count == pg::most_page_rows || event.wide)
        absorb(to);
}

void gathered::absorb(side &to) {
    const std::size_t wanted = static_cast<std::size_t>(to.batch.count);
    if (to.states.map.room() < wanted)
        fold::set_capacity(to.states, std::max(to.states.map.capacity() * 2, std::max(wanted, least_capacity)));
    fold::absorb_batch(to.states, to.batch);
    to.batch.count = 0;
}

bool gathered::is_full() const {
    return added_.states.map.size() + removed_.states.map.size() >= most_lids ||
           added_.states.wide.bytes + removed_.states.wide.bytes >= most_wide_bytes;
}

sorted_states gathered::sort(side &of) {
    absorb(of);
    const kernel::price_state *first = of.states.map.sort();
    return {first, first + of.states.map.size()};
}

void gathered::clear() {
    for (side *one : {&added_, &removed_})
        if (one->states.map.size() > 0)
            fold::keep_states(one->states, one->states.map.sort(), 0);
}

transition::transition(Tuplestorestate *store, TupleTableSlot *slot) : store_(store), slot_(slot) {
    ::tuplestore_select_read_pointer(store_, ::tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND));
    ::tuplestore_rescan(store_);
}

bool transition::next(HeapTupleHeader &row) {
    if (!::tuplestore_gettupleslot(store_, true, false, slot_))
        return false;
    row = reinterpret_cast<const MinimalTupleTableSlot *>(slot_)->minhdr.t_data;
    return true;
}

} // namespace etl::watch
