// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/price_state.hpp"

#include <cstddef>

namespace etl::kernel {

// Price states by lid: open addressing with linear probing, the key in the line. It lives in memory that its user gives
// and may enlarge, and grows within it: there is never a second copy, so that a limit on memory is one.
class state_map {
public:
    // `slots` are `capacity` states of zero bytes.
    void attach(price_state *slots, std::size_t capacity) noexcept;

    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    // How many more lids may come before it must be enlarged or halved.
    std::size_t room() const noexcept { return capacity_ - capacity_ / 5 - size_; }

    static std::uint32_t hash(std::int64_t lid) noexcept {
        std::uint64_t mixed = static_cast<std::uint64_t>(lid);
        mixed = (mixed ^ (mixed >> 32)) * 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9;
        return static_cast<std::uint32_t>(mixed >> 32);
    }
    void prefetch(std::uint32_t hash) const noexcept { __builtin_prefetch(&slots_[home(hash)], 1); }

    // The state of a lid; a new one has no more than its lid, and `is_new` is set. The caller sees to room().
    price_state &find(std::int64_t lid, std::uint32_t hash, bool &is_new) noexcept {
        for (std::size_t at = home(hash);; at = at + 1 == capacity_ ? 0 : at + 1) {
            price_state &state = slots_[at];
            if (state.mark == 0) {
                state.mark = mark_;
                state.lid = lid;
                size_++;
                is_new = true;
                return state;
            }
            if (state.lid == lid) {
                is_new = false;
                return state;
            }
        }
    }

    // Goes on in `slots`, which begin with the bytes of the old ones and end with zero bytes.
    void enlarge(price_state *slots, std::size_t capacity) noexcept;

    // Brings the states to the front, in the order of lids, and returns the first. After that the map may only be
    // attached anew, or kept in part.
    price_state *sort() noexcept;
    // Of sorted states, keeps the first `count` and drops the others; the map is one again.
    void keep(std::size_t count) noexcept;

private:
    // The higher the hash, the higher the slot, whatever the capacity.
    std::size_t home(std::uint32_t hash) const noexcept { return (hash * static_cast<std::uint64_t>(capacity_)) >> 32; }
    void place_all() noexcept;

    price_state *slots_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;
    std::uint8_t mark_ = 1;
};

} // namespace etl::kernel
