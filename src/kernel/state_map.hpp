// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/price_state.hpp"

#include <cstddef>

namespace etl::kernel {

// Price states by lid: the states lie densely, in order of arrival; an index of 8 bytes a slot (open addressing, linear
// probing, at most two thirds full) leads there. The index of many lids still fits the cache; of a state no more than
// its own line is fetched, and a page's worth of them at a time: ask for all index slots, look up all, ask for all
// states, then work at them. It lives in memory that its user gives.
class state_map {
public:
    struct slot {
        std::uint32_t hash;
        std::uint32_t number; // of the state, from 1; 0: free
    };
    static constexpr std::size_t slots_for(std::size_t capacity) noexcept {
        return capacity + capacity / 2 + 1;
    }
    static constexpr std::size_t bytes_a_state = sizeof(price_state) + sizeof(slot) * 3 / 2;

    // Room for `capacity` states and slots_for(capacity) slots of zero bytes. States that the map has are in the new
    // room already, at the same places.
    void attach(price_state *states, std::size_t capacity, slot *slots) noexcept;

    std::size_t size() const noexcept {
        return size_;
    }
    std::size_t capacity() const noexcept {
        return capacity_;
    }
    std::size_t room() const noexcept {
        return capacity_ - size_;
    }

    static std::uint32_t hash(std::int64_t lid) noexcept {
        std::uint64_t mixed = static_cast<std::uint64_t>(lid);
        mixed = (mixed ^ (mixed >> 32)) * 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9;
        return static_cast<std::uint32_t>(mixed >> 32);
    }

    void prefetch_slot(std::uint32_t hash) const noexcept {
        __builtin_prefetch(&slots_[home(hash)]);
    }

    // The number of the state that is most likely the lid's, which is then on its way to the cache; a new state,
    // without any event, if there is none of its hash. The caller sees to room().
    std::uint32_t look_up(std::int64_t lid, std::uint32_t hash) noexcept {
        for (std::size_t at = home(hash);; at = at + 1 == slot_count_ ? 0 : at + 1) {
            if (slots_[at].number == 0)
                return add(lid, hash, at);
            if (slots_[at].hash == hash) {
                __builtin_prefetch(&states_[slots_[at].number - 1], 1);
                return slots_[at].number;
            }
        }
    }
    // The state of the lid, given what look_up() said.
    price_state &state_of(std::uint32_t number, std::int64_t lid, std::uint32_t hash) noexcept {
        price_state &state = states_[number - 1];
        return state.lid == lid ? state : search(lid, hash);
    }

    // Sorts the states by lid and returns the first. After that they may only be kept in part, or attached anew.
    price_state *sort() noexcept;
    // Of sorted states, keeps the first `count` and drops the others.
    void keep(std::size_t count) noexcept;

private:
    std::size_t home(std::uint32_t hash) const noexcept {
        return (hash * static_cast<std::uint64_t>(slot_count_)) >> 32;
    }
    std::uint32_t add(std::int64_t lid, std::uint32_t hash, std::size_t at) noexcept {
        slots_[at] = {hash, static_cast<std::uint32_t>(size_ + 1)};
        states_[size_].lid = lid;
        states_[size_].has_events = states_[size_].wide = false;
        return static_cast<std::uint32_t>(++size_);
    }
    // For the rare case of two lids with one hash.
    price_state &search(std::int64_t lid, std::uint32_t hash) noexcept;
    void fill_index() noexcept;
    // By what stands in the place of hashes, the first size() slots.
    void sort_slots() noexcept;

    price_state *states_ = nullptr;
    slot *slots_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t slot_count_ = 0;
    std::size_t size_ = 0;
};

} // namespace etl::kernel
