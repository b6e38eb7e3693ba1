// PG regime: transition tables to a flat map.
#include "watch/gather.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/date.h"
#include "utils/timestamp.h"
}

namespace etl::watch {

namespace {

constexpr std::size_t few = 16;

std::size_t hash(std::int64_t lid) {
    std::uint64_t mixed = static_cast<std::uint64_t>(lid) * UINT64CONST(0x9E3779B97F4A7C15);
    return static_cast<std::size_t>(mixed ^ (mixed >> 32));
}

AttrNumber find_column(TupleDesc columns, const char *name, Oid &type) {
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (!column->attisdropped && namestrcmp(&column->attname, name) == 0) {
            type = column->atttypid;
            return column->attnum;
        }
    }
    return InvalidAttrNumber;
}

} // namespace

bool read_shape(TupleDesc columns, log_shape &shape) {
    Oid lid = InvalidOid, day = InvalidOid, amount = InvalidOid;
    shape.lid = find_column(columns, "lid", lid);
    shape.day = find_column(columns, "dt", day);
    shape.amount = find_column(columns, "price", amount);
    if (!shape.lid || !shape.day || !shape.amount || lid != INT8OID)
        return false;
    shape.most = std::max({shape.lid, shape.day, shape.amount});
    shape.prices = price_type_of(amount);
    shape.days = day_type_of(day);
    return shape.prices != price_type::unknown && shape.days != day_type::unknown;
}

bool read_event(const log_shape &shape, TupleTableSlot *slot, found_event &found) {
    slot_getsomeattrs(slot, shape.most);
    const int lid = shape.lid - 1, day = shape.day - 1, amount = shape.amount - 1;
    if (slot->tts_isnull[lid] || slot->tts_isnull[day] || slot->tts_isnull[amount])
        return false;
    found.lid = DatumGetInt64(slot->tts_values[lid]);
    found.what.day = shape.days == day_type::date ? DatumGetDateADT(slot->tts_values[day])
                                                  : DatumGetTimestamp(slot->tts_values[day]);
    found.what.amount = read_price(shape.prices, slot->tts_values[amount]);
    return true;
}

gathered::gathered(MemoryContext memory) : memory_(memory), used_(0), room_(few), table_(nullptr), mask_(0) {
    entries_ = static_cast<entry *>(::MemoryContextAlloc(memory_, sizeof(entry) * room_));
}

void gathered::clear() {
    used_ = 0;
    if (table_)
        memset(table_, 0, sizeof(std::uint32_t) * (mask_ + 1));
}

void gathered::grow() {
    room_ *= 2;
    entries_ = static_cast<entry *>(::repalloc_huge(entries_, sizeof(entry) * room_));
    if (table_)
        ::pfree(table_);
    const std::size_t slots = room_ * 2;
    mask_ = slots - 1;
    table_ = static_cast<std::uint32_t *>(
        ::MemoryContextAllocExtended(memory_, sizeof(std::uint32_t) * slots, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
    for (std::size_t i = 0; i < used_; i++) {
        std::size_t at = hash(entries_[i].lid) & mask_;
        while (table_[at])
            at = (at + 1) & mask_;
        table_[at] = static_cast<std::uint32_t>(i + 1);
    }
}

entry &gathered::of(std::int64_t lid) {
    std::size_t at = 0;
    if (!table_) {
        for (std::size_t i = 0; i < used_; i++)
            if (entries_[i].lid == lid)
                return entries_[i];
    } else {
        for (at = hash(lid) & mask_; table_[at]; at = (at + 1) & mask_)
            if (entries_[table_[at] - 1].lid == lid)
                return entries_[table_[at] - 1];
    }
    if (used_ == room_) {
        grow();
        for (at = hash(lid) & mask_; table_[at];)
            at = (at + 1) & mask_;
    }
    if (table_)
        table_[at] = static_cast<std::uint32_t>(used_ + 1);
    entry &made = entries_[used_++];
    made.lid = lid;
    made.added.any = false;
    made.removed = nullptr;
    return made;
}

void gathered::add(const found_event &found) {
    of(found.lid).added.add(found.what, memory_);
}

void gathered::remove(const found_event &found) {
    entry &its = of(found.lid);
    if (!its.removed)
        its.removed = static_cast<folded *>(::MemoryContextAllocZero(memory_, sizeof(folded)));
    its.removed->add(found.what, memory_);
}

entry *gathered::sort() {
    auto before = [](const entry &a, const entry &b) { return a.lid < b.lid; };
    if (!std::is_sorted(entries_, entries_ + used_, before))
        std::sort(entries_, entries_ + used_, before);
    return entries_;
}

transition::transition(Tuplestorestate *store, TupleTableSlot *slot)
    : store_(store), slot_(slot), pointer_(::tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND)) {
    ::tuplestore_select_read_pointer(store_, pointer_);
    ::tuplestore_rescan(store_);
}

bool transition::next() {
    ::tuplestore_select_read_pointer(store_, pointer_);
    return ::tuplestore_gettupleslot(store_, true, false, slot_);
}

} // namespace etl::watch
