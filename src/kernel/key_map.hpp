// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include <cstddef>
#include <cstdint>

namespace etl::kernel {

// What belongs to a key, by open addressing with linear probing, at most two thirds full. The key stands in the slot,
// so that a miss fetches one line of the cache and a hit no more than what it finds. It lives in memory that its user
// gives.
class key_map {
public:
    struct slot {
        std::int64_t key;
        void *value; // null: free
    };
    static constexpr unsigned least_bits = 8;

    // 2^bits slots of zero bytes, at least 2^least_bits. Forgets what the map had.
    void attach(slot *slots, unsigned bits) noexcept {
        slots_ = slots;
        bits_ = bits;
        size_ = 0;
    }
    std::size_t size() const noexcept {
        return size_;
    }
    unsigned bits() const noexcept {
        return bits_;
    }
    const slot *slots() const noexcept {
        return slots_;
    }
    std::size_t slot_count() const noexcept {
        return std::size_t{1} << bits_;
    }
    bool is_full() const noexcept {
        return size_ * 3 >= slot_count() * 2;
    }

    void prefetch(std::int64_t key) const noexcept {
        __builtin_prefetch(&slots_[home(key)]);
    }
    // Null if the key is not there.
    void *find(std::int64_t key) const noexcept {
        std::size_t at = home(key);
        while (slots_[at].value && slots_[at].key != key)
            at = after(at);
        return slots_[at].value;
    }
    // A key that is not there, while the map is not full, with a value that is not null.
    void add(std::int64_t key, void *value) noexcept {
        std::size_t at = home(key);
        while (slots_[at].value)
            at = after(at);
        slots_[at] = {key, value};
        size_++;
    }
    void add_all(const key_map &other) noexcept {
        for (std::size_t i = 0; i < other.slot_count(); i++)
            if (other.slots_[i].value)
                add(other.slots_[i].key, other.slots_[i].value);
    }

private:
    std::size_t home(std::int64_t key) const noexcept {
        std::uint64_t mixed = static_cast<std::uint64_t>(key);
        mixed = (mixed ^ (mixed >> 32)) * 0x9e3779b97f4a7c15;
        return static_cast<std::size_t>(mixed >> (64 - bits_));
    }
    std::size_t after(std::size_t at) const noexcept {
        return (at + 1) & (slot_count() - 1);
    }

    slot *slots_ = nullptr;
    std::size_t size_ = 0;
    unsigned bits_ = 0;
};

} // namespace etl::kernel
