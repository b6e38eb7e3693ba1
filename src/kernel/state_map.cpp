// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/state_map.hpp"

#include <algorithm>

namespace etl::kernel {

void state_map::attach(price_state *states, std::size_t capacity, slot *slots) noexcept {
    states_ = states;
    slots_ = slots;
    capacity_ = capacity;
    slot_count_ = slots_for(capacity);
    fill_index();
}

void state_map::fill_index() noexcept {
    for (std::size_t i = 0; i < size_; i++) {
        const std::uint32_t of = hash(states_[i].lid);
        std::size_t at = home(of);
        while (slots_[at].number != 0)
            at = at + 1 == slot_count_ ? 0 : at + 1;
        slots_[at] = {of, static_cast<std::uint32_t>(i + 1)};
    }
}

price_state &state_map::search(std::int64_t lid, std::uint32_t hash) noexcept {
    for (std::size_t at = home(hash);; at = at + 1 == slot_count_ ? 0 : at + 1) {
        if (slots_[at].number == 0)
            return states_[add(lid, hash, at) - 1];
        if (slots_[at].hash == hash && states_[slots_[at].number - 1].lid == lid)
            return states_[slots_[at].number - 1];
    }
}

price_state *state_map::sort() noexcept {
    std::sort(states_, states_ + size_,
              [](const price_state &left, const price_state &right) { return left.lid < right.lid; });
    return states_;
}

void state_map::keep(std::size_t count) noexcept {
    size_ = count;
    std::fill(slots_, slots_ + slot_count_, slot{0, 0});
    fill_index();
}

} // namespace etl::kernel
