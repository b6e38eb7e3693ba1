// PG regime: may ereport, so no local here needs a destructor.
#include "load/multi_insert.hpp"

#include "pg/moved_row.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/hio.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
}

namespace etl::load {

namespace {

// Larger batches fall out of the cache and measure slower.
constexpr int batch_rows = 64;
constexpr int insert_options = TABLE_INSERT_SKIP_FSM;

struct multi_insert {
    row_writer base; // first, as callers know no more than this
    Relation target;
    TupleTableSlot **slots; // batch_rows of them
    BulkInsertState bulk;
    CommandId command;
};

// A slot that lends a row of the caller's: unlike a heap slot it never copies, so the bulk insert works on the row
// where it is. It is asked for that row and no more.
struct lent_row {
    TupleTableSlot base; // first
    HeapTuple row;
};

lent_row *of(TupleTableSlot *slot) {
    return reinterpret_cast<lent_row *>(slot);
}

void do_nothing(TupleTableSlot *) {}

void clear(TupleTableSlot *slot) {
    of(slot)->row = nullptr;
    slot->tts_flags |= TTS_FLAG_EMPTY;
    slot->tts_nvalid = 0;
}

HeapTuple get_row(TupleTableSlot *slot) {
    return of(slot)->row;
}

HeapTuple copy_row(TupleTableSlot *slot) {
    return ::heap_copytuple(of(slot)->row);
}

[[noreturn]] void refuse(TupleTableSlot *) {
    elog(ERROR, "a row that is written was asked for its columns");
}

TupleTableSlotOps lent_row_ops() {
    TupleTableSlotOps ops{};
    ops.base_slot_size = sizeof(lent_row);
    ops.init = do_nothing;
    ops.release = do_nothing;
    ops.clear = clear;
    ops.getsomeattrs = [](TupleTableSlot *slot, int) { refuse(slot); };
    ops.getsysattr = [](TupleTableSlot *slot, int, bool *) -> Datum { refuse(slot); };
    ops.materialize = do_nothing;
    ops.copyslot = [](TupleTableSlot *slot, TupleTableSlot *) { refuse(slot); };
    ops.get_heap_tuple = get_row;
    ops.copy_heap_tuple = copy_row;
    return ops;
}

const TupleTableSlotOps slot_ops = lent_row_ops();

void insert_lent(multi_insert *self, int count) {
    if (count == 0)
        return;
    ::table_multi_insert(self->target, self->slots, count, self->command, insert_options, self->bulk);
    for (int i = 0; i < count; i++)
        ::ExecClearTuple(self->slots[i]);
}

void write(row_writer *base, HeapTuple *rows, int count) {
    multi_insert *self = reinterpret_cast<multi_insert *>(base);
    int lent = 0;
    for (int i = 0; i < count; i++) {
        // What long values a row has in another table need not go through the toaster.
        if (HeapTupleHasExternal(rows[i]) && pg::move_values(self->target, rows[i], insert_options)) {
            pg::insert_moved_row(self->target, rows[i], self->command, insert_options, self->bulk);
            continue;
        }
        of(self->slots[lent])->row = rows[i];
        self->slots[lent]->tts_flags &= ~TTS_FLAG_EMPTY;
        if (++lent == batch_rows) {
            insert_lent(self, lent);
            lent = 0;
        }
    }
    insert_lent(self, lent);
}

// Pages of a table that is small beside the cache stay there, where its indexes will be built from: no page has to be
// written, and the log be waited for, before its time. Those of a larger one must not push all else out of it.
BulkInsertState open_bulk(Relation target) {
    const BulkInsertState bulk = ::GetBulkInsertState();
    if (RelationGetNumberOfBlocks(target) < static_cast<BlockNumber>(NBuffers) / 8) {
        ::FreeAccessStrategy(bulk->strategy);
        bulk->strategy = nullptr;
    }
    return bulk;
}

void finish(row_writer *base) {
    multi_insert *self = reinterpret_cast<multi_insert *>(base);
    ::FreeBulkInsertState(self->bulk);
    ::table_finish_bulk_insert(self->target, insert_options);
    // Slots hold on to the row type until they are dropped.
    for (int i = 0; i < batch_rows; i++)
        ::ExecDropSingleTupleTableSlot(self->slots[i]);
}

} // namespace

row_writer *open_multi_insert(Relation target) {
    multi_insert *self = static_cast<multi_insert *>(::palloc0(sizeof(multi_insert)));
    self->base.write = write;
    self->base.finish = finish;
    self->target = target;
    self->slots = static_cast<TupleTableSlot **>(::palloc(sizeof(TupleTableSlot *) * batch_rows));
    for (int i = 0; i < batch_rows; i++)
        self->slots[i] = ::MakeSingleTupleTableSlot(RelationGetDescr(target), &slot_ops);
    self->bulk = open_bulk(target);
    self->command = ::GetCurrentCommandId(true);
    return &self->base;
}

} // namespace etl::load
