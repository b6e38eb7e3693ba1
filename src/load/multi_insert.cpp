// PG regime: may ereport, so no local here needs a destructor.
#include "load/multi_insert.hpp"

#include "pg/log_writer.hpp"
#include "pg/moved_row.hpp"
#include "pg/new_pages.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/heaptoast.h"
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
    int lent;               // of the slots
    BulkInsertState bulk;
    CommandId command;
    pg::new_pages *pages; // null where the table grows by itself
    Size spare;           // what the table's fill factor leaves free on a page
    Size room;            // what the rows that are lent leave of a page
    pg::log_pace log;
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

Size room_beside(const multi_insert *self, Size free) {
    return free > self->spare ? free - self->spare : 0;
}

Size room_of_empty(const multi_insert *self) {
    return room_beside(self, BLCKSZ - SizeOfPageHeaderData - sizeof(ItemIdData));
}

// Others may put rows on the page, but then the insert finds out.
void look_for_room(multi_insert *self) {
    const Buffer page = self->bulk->current_buf;
    self->room = BufferIsValid(page) ? room_beside(self, ::PageGetHeapFreeSpace(BufferGetPage(page))) : 0;
}

void insert_lent(multi_insert *self) {
    if (self->lent == 0)
        return;
    ::table_multi_insert(self->target, self->slots, self->lent, self->command, insert_options, self->bulk);
    for (int i = 0; i < self->lent; i++)
        ::ExecClearTuple(self->slots[i]);
    self->lent = 0;
    look_for_room(self);
}

// Has a row of that length go to a page of ours, as long as the table has one: the first rows go where it likes.
void make_room(multi_insert *self, Size length) {
    if (!self->pages)
        return;
    if (length > self->room) {
        insert_lent(self);
        if (length > self->room && BufferIsValid(self->bulk->current_buf)) {
            pg::go_on_with_new_page(self->pages, self->bulk, PG_INT16_MAX);
            self->room = room_of_empty(self);
        }
    }
    self->room -= std::min(self->room, length + sizeof(ItemIdData));
}

// The toaster makes long rows about so long.
Size length_after_toasting(const HeapTupleData *row) {
    return MAXALIGN(std::min<Size>(row->t_len, TOAST_TUPLE_THRESHOLD));
}

void lend(multi_insert *self, HeapTuple row) {
    make_room(self, length_after_toasting(row));
    TupleTableSlot *slot = self->slots[self->lent++];
    of(slot)->row = row;
    slot->tts_flags &= ~TTS_FLAG_EMPTY;
    if (self->lent == batch_rows || row->t_len > TOAST_TUPLE_THRESHOLD)
        insert_lent(self);
}

void write(row_writer *base, HeapTuple *rows, int count) {
    multi_insert *self = reinterpret_cast<multi_insert *>(base);
    std::size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        bytes += rows[i]->t_len;
        // Nothing may come between a row and its values: whoever decodes the log puts them together.
        if (HeapTupleHasExternal(rows[i]))
            insert_lent(self);
        // What long values a row has in another table need not go through the toaster.
        if (HeapTupleHasExternal(rows[i]) && pg::move_values(self->target, rows[i], insert_options)) {
            make_room(self, MAXALIGN(rows[i]->t_len));
            pg::insert_moved_row(self->target, rows[i], self->command, insert_options, self->bulk);
            look_for_room(self);
        } else {
            lend(self, rows[i]);
        }
    }
    insert_lent(self);
    pg::keep_log_written(self->log, bytes);
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
    if (self->pages)
        pg::end_new_pages(self->pages);
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
    self->pages = pg::begin_new_pages(target, self->bulk->strategy);
    self->spare = RelationGetTargetPageFreeSpace(target, HEAP_DEFAULT_FILLFACTOR);
    self->command = ::GetCurrentCommandId(true);
    return &self->base;
}

} // namespace etl::load
