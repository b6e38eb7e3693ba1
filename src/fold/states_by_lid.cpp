// PG regime: may ereport, so no local here needs a destructor.
#include "fold/states_by_lid.hpp"

#include "pg/memory.hpp"

namespace etl::fold {

namespace {

using slot = kernel::state_map::slot;
constexpr std::size_t state_bytes = sizeof(kernel::price_state);

kernel::price_state *aligned(void *memory) {
    return reinterpret_cast<kernel::price_state *>(TYPEALIGN(state_bytes, reinterpret_cast<std::uintptr_t>(memory)));
}

} // namespace

void set_capacity(states_by_lid &states, std::size_t capacity) {
    const std::size_t bytes = (capacity + 1) * state_bytes, slots = kernel::state_map::slots_for(capacity);
    if (states.slots)
        ::pfree(states.slots);
    if (states.memory) {
        const std::ptrdiff_t shift =
            reinterpret_cast<char *>(aligned(states.memory)) - static_cast<char *>(states.memory);
        states.memory = ::repalloc_huge(states.memory, bytes);
        void *moved = aligned(states.memory);
        if (static_cast<char *>(moved) - static_cast<char *>(states.memory) != shift)
            memmove(moved, static_cast<char *>(states.memory) + shift, states.map.size() * state_bytes);
    } else {
        states.memory = ::MemoryContextAllocHuge(states.context, bytes);
    }
    pg::prefer_huge_pages(states.memory, bytes);
    states.slots = static_cast<slot *>(::MemoryContextAllocHuge(states.context, slots * sizeof(slot)));
    pg::prefer_huge_pages(states.slots, slots * sizeof(slot));
    memset(states.slots, 0, slots * sizeof(slot));
    states.map.attach(aligned(states.memory), capacity, states.slots);
}

void find_states(states_by_lid &states, const event_batch &batch, found_states &found) {
    kernel::state_map &map = states.map;
    for (int i = 0; i < batch.count; i++) {
        found.hashes[i] = kernel::state_map::hash(batch.lid[i]);
        map.prefetch_slot(found.hashes[i]);
    }
    for (int i = 0; i < batch.count; i++)
        found.numbers[i] = map.look_up(batch.lid[i], found.hashes[i]);
}

void absorb_found(states_by_lid &states, const event_batch &batch, const found_states &found) {
    for (int i = 0; i < batch.count; i++) {
        kernel::price_state &state = states.map.state_of(found.numbers[i], batch.lid[i], found.hashes[i]);
        absorb(states.wide, state, batch.day[i], batch.price[i], batch.wide[i]);
    }
}

void absorb_batch(states_by_lid &states, const event_batch &batch) {
    found_states found;
    find_states(states, batch, found);
    absorb_found(states, batch, found);
}

void drop_above(event_batch &batch, std::int64_t high) {
    if (high == PG_INT64_MAX)
        return;
    int kept = 0;
    for (int i = 0; i < batch.count; i++)
        if (batch.lid[i] <= high) {
            batch.lid[kept] = batch.lid[i];
            batch.day[kept] = batch.day[i];
            batch.price[kept] = batch.price[i];
            batch.wide[kept++] = batch.wide[i];
        }
    batch.count = kept;
}

void keep_states(states_by_lid &states, const kernel::price_state *sorted, std::size_t count) {
    for (std::size_t i = count; i < states.map.size(); i++)
        forget(states.wide, sorted[i]);
    states.map.keep(count);
}

} // namespace etl::fold
