// PG regime: events gathered by lid: a state map in memory that grows, and the prices that have no code.
#pragma once

#include "fold/events.hpp"
#include "fold/wide.hpp"
#include "kernel/state_map.hpp"

namespace etl::fold {

struct states_by_lid {
    MemoryContext context;
    void *memory; // of the states, to be aligned to lines of the cache
    kernel::state_map::slot *slots;
    kernel::state_map map;
    wide_prices wide;
};

// Gives the map room. The states that it holds move along; where the system can, no byte is copied.
void set_capacity(states_by_lid &states, std::size_t capacity);

// Adds the events of a batch, for whose lids the map has room.
void absorb_batch(states_by_lid &states, const event_batch &batch);

// The same in two steps, the first of which asks for the states: they come while the caller does other things, which may
// not be anything with the map.
struct found_states {
    std::uint32_t hashes[pg::most_page_rows], numbers[pg::most_page_rows];
};
void find_states(states_by_lid &states, const event_batch &batch, found_states &found);
void absorb_found(states_by_lid &states, const event_batch &batch, const found_states &found);

// Drops the events of lids above `high` from a batch.
void drop_above(event_batch &batch, std::int64_t high);

// Drops all but the first `count` states, as the map has sorted them.
void keep_states(states_by_lid &states, const kernel::price_state *sorted, std::size_t count);

} // namespace etl::fold
