// PG regime: may ereport, so no local here needs a destructor.
#include "load/memory.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace etl::load {

namespace {

constexpr unsigned slot_bits = 13;
constexpr std::size_t slot_count = std::size_t{1} << slot_bits;
constexpr std::size_t most_results = slot_count / 2;
constexpr std::size_t most_bytes = std::size_t{4} * 1024 * 1024;

struct entry {
    sources from;
    Datum value;
    bool is_null;
};

std::size_t home_of(const sources &from) {
    std::uint64_t mixed = from.nulls;
    for (const Datum value : from.values)
        mixed = (mixed ^ value ^ (mixed >> 29)) * 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(mixed >> (64 - slot_bits));
}

bool is_same(const sources &a, const sources &b) {
    return a.nulls == b.nulls && memcmp(a.values, b.values, sizeof a.values) == 0;
}

} // namespace

struct result_memory {
    MemoryContext context;
    bool by_value;
    int length;
    std::size_t bytes;
    std::size_t count;
    entry entries[most_results];
    std::uint16_t slots[slot_count]; // number of the entry, from 1; 0: free. Few lines of the cache where results are few
};

namespace {

// The slot of these sources, or the free one that is theirs.
std::size_t find(const result_memory &self, const sources &from) {
    std::size_t at = home_of(from);
    while (self.slots[at] != 0 && !is_same(self.entries[self.slots[at] - 1].from, from))
        at = (at + 1) % slot_count;
    return at;
}

} // namespace

result_memory *create_result_memory(bool by_value, int length) {
    result_memory *made = static_cast<result_memory *>(::palloc0(sizeof(result_memory)));
    made->context = CurrentMemoryContext;
    made->by_value = by_value;
    made->length = length;
    return made;
}

remembered recall(const result_memory &self, const sources &from) {
    const std::uint16_t number = self.slots[find(self, from)];
    if (number == 0)
        return {};
    const entry &found = self.entries[number - 1];
    return {true, found.is_null, found.value};
}

Datum remember(result_memory &self, const sources &from, Datum value, bool is_null) {
    if (self.count >= most_results || self.bytes >= most_bytes)
        return value;
    entry &made = self.entries[self.count++];
    self.slots[find(self, from)] = static_cast<std::uint16_t>(self.count);
    made.from = from;
    made.is_null = is_null;
    if (!is_null) {
        const MemoryContext before = ::MemoryContextSwitchTo(self.context);
        made.value = ::datumCopy(value, self.by_value, self.length);
        ::MemoryContextSwitchTo(before);
        self.bytes += ::datumGetSize(made.value, self.by_value, self.length);
    }
    return made.value;
}

} // namespace etl::load
