// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/state_map.hpp"

#include <algorithm>
#include <utility>

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

void state_map::sort_slots() noexcept {
    constexpr int digit_bits = 11;
    constexpr std::size_t digits = std::size_t{1} << digit_bits;
    slot *from = slots_, *to = slots_ + size_, *const end = slots_ + size_;
    std::uint32_t all = 0;
    for (const slot *one = slots_; one < end; one++)
        all |= one->hash;
    if (2 * size_ > slot_count_) {
        std::sort(slots_, end, [](slot left, slot right) { return left.hash < right.hash; });
        return;
    }
    for (int shift = 0; shift < 32 && all >> shift > 0; shift += digit_bits, std::swap(from, to)) {
        std::size_t places[digits] = {};
        for (std::size_t i = 0; i < size_; i++)
            places[from[i].hash >> shift & (digits - 1)]++;
        std::size_t before = 0;
        for (std::size_t &place : places)
            before += std::exchange(place, before);
        for (std::size_t i = 0; i < size_; i++)
            to[places[from[i].hash >> shift & (digits - 1)]++] = from[i];
    }
    if (from != slots_)
        std::copy_n(from, size_, slots_);
}

price_state *state_map::sort() noexcept {
    const auto by_lid = [](const price_state &left, const price_state &right) { return left.lid < right.lid; };
    const auto [least, greatest] = std::minmax_element(states_, states_ + size_, by_lid);
    const std::uint64_t first = size_ > 0 ? static_cast<std::uint64_t>(least->lid) : 0;
    if (size_ < 2 || static_cast<std::uint64_t>(greatest->lid) - first > 0xffffffff) {
        std::sort(states_, states_ + size_, by_lid);
        return states_;
    }
    // Of each state, how far its lid is from the least, and its place; they take the index's memory.
    for (std::size_t i = 0; i < size_; i++)
        slots_[i] = {static_cast<std::uint32_t>(static_cast<std::uint64_t>(states_[i].lid) - first),
                     static_cast<std::uint32_t>(i)};
    sort_slots();
    // Each state moves once, to the place of one that has moved before.
    for (std::size_t i = 0; i < size_; i++) {
        if (slots_[i].number == i)
            continue;
        const price_state moved = states_[i];
        std::size_t free = i;
        for (std::size_t next; (next = slots_[free].number) != i; free = next) {
            states_[free] = states_[next];
            slots_[free].number = static_cast<std::uint32_t>(free);
        }
        states_[free] = moved;
        slots_[free].number = static_cast<std::uint32_t>(free);
    }
    return states_;
}

void state_map::keep(std::size_t count) noexcept {
    size_ = count;
    std::fill(slots_, slots_ + slot_count_, slot{0, 0});
    fill_index();
}

} // namespace etl::kernel
