// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstdint>

namespace etl::kernel {

// What the events of one listing come to. Days are numbers in their own order, prices are codes (price_code.hpp).
// A line of the cache, where it is aligned to one: a fold spends most of its time on fetching these.
struct price_state {
    std::int64_t lid;
    std::int64_t first_day, last_day;
    std::int64_t first, last, least, greatest;
    bool has_events; // false: no more than the lid is known
    bool wide;       // the prices are no codes but handles of the fold's (fold/wide.hpp)
};
static_assert(sizeof(price_state) == 64);

// The state of a single event.
inline void begin(price_state &state, std::int64_t day, std::int64_t price) noexcept {
    state.first_day = state.last_day = day;
    state.first = state.last = state.least = state.greatest = price;
    state.has_events = true;
    state.wide = false;
}

// Adds an event. Commutative, associative and idempotent: events may come in any order, and twice.
inline void absorb(price_state &state, std::int64_t day, std::int64_t price) noexcept {
    if (day < state.first_day || (day == state.first_day && price < state.first)) {
        state.first_day = day;
        state.first = price;
    }
    if (day > state.last_day || (day == state.last_day && price > state.last)) {
        state.last_day = day;
        state.last = price;
    }
    state.least = price < state.least ? price : state.least;
    state.greatest = price > state.greatest ? price : state.greatest;
}

} // namespace etl::kernel
