// Boundary: distinct values in a memory context.
#include "pg/value_set.hpp"

#include "kernel/value_hash.hpp"

namespace etl::pg {

namespace {

constexpr std::uint32_t first_slots = 1024;

std::uint32_t home(const value_set &set, std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash) & (set.slot_count - 1);
}

void grow(value_set &set, MemoryContext memory, std::size_t &bytes) {
    distinct_value **const before = set.slots;
    const std::uint32_t count = set.slot_count;
    set.slot_count = count == 0 ? first_slots : count * 2;
    bytes += sizeof(distinct_value *) * (set.slot_count - count);
    set.slots = static_cast<distinct_value **>(::MemoryContextAllocExtended(
        memory, sizeof(distinct_value *) * set.slot_count, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
    for (std::uint32_t i = 0; i < count; i++) {
        if (!before[i])
            continue;
        std::uint32_t at = home(set, before[i]->hash);
        while (set.slots[at])
            at = (at + 1) & (set.slot_count - 1);
        set.slots[at] = before[i];
    }
    if (before)
        ::pfree(before);
}

std::size_t size_of(std::uint32_t length) {
    return offsetof(distinct_value, bytes) + length;
}

bool is_same(const distinct_value *known, const char *value, std::uint32_t length) {
    return known->length == length && memcmp(known->bytes, value, length) == 0;
}

} // namespace

// Values mostly come again, often at once: those of a portal, of a model.
distinct_value *keep_value(value_set &set, const char *value, std::uint32_t length, MemoryContext memory,
                           std::size_t &bytes) {
    if (set.last && is_same(set.last, value, length))
        return set.last;
    if (set.count >= set.slot_count / 2)
        grow(set, memory, bytes);
    const std::uint64_t hash = kernel::hash_bytes(value, length, 1);
    std::uint32_t at = home(set, hash);
    while (set.slots[at] && (set.slots[at]->hash != hash || !is_same(set.slots[at], value, length)))
        at = (at + 1) & (set.slot_count - 1);
    if (!set.slots[at]) {
        distinct_value *kept = static_cast<distinct_value *>(::MemoryContextAlloc(memory, size_of(length)));
        kept->hash = hash;
        kept->number = set.count++;
        kept->length = length;
        memcpy(kept->bytes, value, length);
        set.slots[at] = kept;
        bytes += size_of(length);
    }
    return set.last = set.slots[at];
}

void forget_values(value_set &set, std::size_t &bytes) {
    for (std::uint32_t i = 0; i < set.slot_count; i++) {
        if (!set.slots[i])
            continue;
        bytes -= size_of(set.slots[i]->length);
        ::pfree(set.slots[i]);
        set.slots[i] = nullptr;
    }
    set.count = 0;
    set.last = nullptr;
}

} // namespace etl::pg
