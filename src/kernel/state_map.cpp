// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/state_map.hpp"

#include <algorithm>
#include <utility>

namespace etl::kernel {

void state_map::attach(price_state *slots, std::size_t capacity) noexcept {
    slots_ = slots;
    capacity_ = capacity;
    size_ = 0;
    mark_ = 1;
}

void state_map::enlarge(price_state *slots, std::size_t capacity) noexcept {
    slots_ = slots;
    capacity_ = capacity;
    place_all();
}

// Moves every state to where it belongs, in place: a state with the old mark is taken up and put down in the first slot
// of its own that is free or holds another with the old mark, which is then taken up in turn. Placed states never move
// again, so no gap opens before any of them.
void state_map::place_all() noexcept {
    const std::uint8_t old = mark_;
    mark_ = old == 1 ? 2 : 1;
    for (std::size_t from = 0; from < capacity_; from++) {
        if (slots_[from].mark != old)
            continue;
        price_state moving = slots_[from];
        slots_[from].mark = 0;
        for (bool more = true; more;) {
            std::size_t at = home(hash(moving.lid));
            while (slots_[at].mark == mark_)
                at = at + 1 == capacity_ ? 0 : at + 1;
            more = slots_[at].mark == old;
            moving.mark = mark_;
            std::swap(moving, slots_[at]);
        }
    }
}

price_state *state_map::sort() noexcept {
    price_state *const end =
        std::partition(slots_, slots_ + capacity_, [](const price_state &state) { return state.mark != 0; });
    std::sort(slots_, end, [](const price_state &left, const price_state &right) { return left.lid < right.lid; });
    return slots_;
}

void state_map::keep(std::size_t count) noexcept {
    for (std::size_t i = count; i < size_; i++)
        slots_[i].mark = 0;
    size_ = count;
    place_all();
}

} // namespace etl::kernel
