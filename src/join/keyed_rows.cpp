// PG regime: may ereport, so no local here needs a destructor.
#include "join/keyed_rows.hpp"

namespace etl::join {

namespace {

using slot = kernel::key_map::slot;

slot *allocate_slots(MemoryContext context, unsigned bits) {
    const std::size_t size = sizeof(slot) << bits;
    return static_cast<slot *>(memset(pg::allocate_large(context, size), 0, size));
}

void grow(keyed_rows &rows) {
    const kernel::key_map before = rows.map;
    const unsigned bits = before.bits() + 1;
    rows.map.attach(allocate_slots(rows.context, bits), bits);
    rows.map.add_all(before);
    ::pfree(const_cast<slot *>(before.slots()));
}

} // namespace

keyed_rows create_keyed_rows(MemoryContext context) {
    keyed_rows rows{create_arena(context), context, {}};
    rows.map.attach(allocate_slots(context, kernel::key_map::least_bits), kernel::key_map::least_bits);
    return rows;
}

void reset(keyed_rows &rows) {
    reset(rows.memory);
    slot *slots = const_cast<slot *>(rows.map.slots());
    memset(slots, 0, sizeof(slot) * rows.map.slot_count());
    rows.map.attach(slots, rows.map.bits());
}

void add(keyed_rows &rows, std::int64_t key, void *value) {
    if (rows.map.is_full())
        grow(rows);
    rows.map.add(key, value);
}

HeapTupleHeader keep_row(keyed_rows &rows, const HeapTupleHeaderData *row, std::uint32_t length) {
    HeapTupleHeader copy = static_cast<HeapTupleHeader>(take(rows.memory, length));
    memcpy(copy, row, length);
    HeapTupleHeaderSetDatumLength(copy, length);
    return copy;
}

std::size_t memory_of(const keyed_rows &rows) noexcept {
    return rows.memory.bytes - rows.memory.left + 2 * sizeof(slot) * rows.map.size();
}

key_sample sample_keys(const keyed_rows &rows) {
    const std::size_t count = rows.map.size();
    std::int64_t *keys = static_cast<std::int64_t *>(
        ::MemoryContextAllocExtended(rows.context, count * sizeof(std::int64_t), MCXT_ALLOC_HUGE));
    std::size_t filled = 0;
    for (std::size_t i = 0; i < rows.map.slot_count(); i++)
        if (rows.map.slots()[i].value)
            keys[filled++] = rows.map.slots()[i].key;
    std::int64_t *middle = keys + (count - 1) / 2;
    std::nth_element(keys, middle, keys + count);
    const key_sample sample{*std::min_element(keys, middle + 1), *middle};
    ::pfree(keys);
    return sample;
}

} // namespace etl::join
