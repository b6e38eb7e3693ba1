// PG regime: transition tables to states by lid.
#include "watch/gather.hpp"

#include "settings.hpp"

extern "C" {
#include "executor/executor.h"
}

namespace etl::watch {

namespace {

// Writers are many, so they get no more than this of what a worker may take.
constexpr std::size_t most_bytes = std::size_t{64} * 1024 * 1024;
constexpr std::size_t least_capacity = 16;

} // namespace

gathered::gathered(MemoryContext memory, const fold::event_coding &coding) : low_(PG_INT64_MIN), high_(PG_INT64_MAX) {
    for (side *one : {&added_, &removed_}) {
        one->states = {memory, nullptr, nullptr, {}, {memory, coding.format, 0}};
        one->batch.count = 0;
    }
}

void gathered::take(side &to, const fold::price_event &event) {
    if (event.lid < low_ || event.lid > high_)
        return;
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
    // Some may have come before a pass was cut short.
    fold::drop_above(to.batch, high_);
    const std::size_t wanted = static_cast<std::size_t>(to.batch.count);
    if (to.states.map.room() < wanted)
        fold::set_capacity(to.states, std::max(to.states.map.capacity() * 2, std::max(wanted, least_capacity)));
    fold::absorb_batch(to.states, to.batch);
    to.batch.count = 0;
    while (is_full() && std::max(added_.states.map.size(), removed_.states.map.size()) > 1)
        halve();
}

bool gathered::is_full() const {
    const std::size_t most = std::min(most_bytes, static_cast<std::size_t>(fold_memory) * 1024);
    auto bytes = [](const side &of) {
        return of.states.map.size() * kernel::state_map::bytes_a_state + of.states.wide.bytes;
    };
    return bytes(added_) + bytes(removed_) > most;
}

void gathered::halve() {
    const sorted_states larger = sort(added_.states.map.size() > removed_.states.map.size() ? added_ : removed_);
    high_ = larger.next[(larger.end - larger.next) / 2 - 1].lid;
    for (side *one : {&added_, &removed_}) {
        const sorted_states all = sort(*one);
        const kernel::price_state *kept =
            std::upper_bound(all.next, all.end, high_,
                             [](std::int64_t lid, const kernel::price_state &state) { return lid < state.lid; });
        fold::keep_states(one->states, all.next, static_cast<std::size_t>(kept - all.next));
    }
}

void gathered::end_pass() {
    absorb(added_);
    absorb(removed_);
}

bool gathered::next_pass() {
    if (high_ == PG_INT64_MAX)
        return false;
    low_ = high_ + 1;
    high_ = PG_INT64_MAX;
    for (side *one : {&added_, &removed_})
        fold::keep_states(one->states, sort(*one).next, 0);
    return true;
}

sorted_states gathered::sort(side &of) {
    const kernel::price_state *first = of.states.map.sort();
    return {first, first + of.states.map.size()};
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
