// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/price_code.hpp"

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

// What follows is said once for codes and for handles: `compare` orders two prices (below, at or above zero), and
// `take(mine, its)` makes its price mine.

// Takes the events of another state in, which is the same as absorbing them all; says whether that changed anything.
// Both have events.
template <class Compare, class Take>
bool merge(price_state &state, const price_state &other, Compare compare, Take take) {
    bool changed = false;
    auto keep = [&](std::int64_t &mine, std::int64_t its) {
        take(mine, its);
        changed = true;
    };
    if (other.first_day < state.first_day ||
        (other.first_day == state.first_day && compare(other.first, state.first) < 0)) {
        keep(state.first, other.first);
        state.first_day = other.first_day;
    }
    if (other.last_day > state.last_day || (other.last_day == state.last_day && compare(other.last, state.last) > 0)) {
        keep(state.last, other.last);
        state.last_day = other.last_day;
    }
    if (compare(other.least, state.least) < 0)
        keep(state.least, other.least);
    if (compare(other.greatest, state.greatest) > 0)
        keep(state.greatest, other.greatest);
    return changed;
}

template <class Compare> bool same(const price_state &left, const price_state &right, Compare compare) {
    return left.has_events == right.has_events &&
           (!left.has_events || (left.first_day == right.first_day && left.last_day == right.last_day &&
                                 compare(left.first, right.first) == 0 && compare(left.last, right.last) == 0 &&
                                 compare(left.least, right.least) == 0 && compare(left.greatest, right.greatest) == 0));
}

// False if these events, taken away, leave the state as it is: none of them is an extreme of it. Here `compare` orders
// by value alone, so that an event that equals an extreme but for its display scale is taken for it.
template <class Compare> bool may_miss(const price_state &state, const price_state &removed, Compare compare) {
    if (!removed.has_events)
        return false;
    return !state.has_events || removed.first_day < state.first_day || removed.last_day > state.last_day ||
           (removed.first_day == state.first_day && compare(removed.first, state.first) <= 0) ||
           (removed.last_day == state.last_day && compare(removed.last, state.last) >= 0) ||
           compare(removed.least, state.least) <= 0 || compare(removed.greatest, state.greatest) >= 0;
}

inline int compare_codes(std::int64_t left, std::int64_t right) noexcept {
    return left < right ? -1 : left > right;
}

// The same for states whose prices are codes.
inline bool merge(price_state &state, const price_state &other) noexcept {
    return merge(state, other, compare_codes, [](std::int64_t &mine, std::int64_t its) { mine = its; });
}
inline bool same(const price_state &left, const price_state &right) noexcept {
    return same(left, right, compare_codes);
}
inline bool may_miss(const price_state &state, const price_state &removed, price_format format) noexcept {
    return may_miss(state, removed, [format](std::int64_t left, std::int64_t right) {
        return compare_codes(code_without_scale(left, format), code_without_scale(right, format));
    });
}

} // namespace etl::kernel
