// Boundary: rows to pages.
#include "pg/row_batch.hpp"

#include "pg/new_pages.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

namespace etl::pg {

namespace {

void stay_where_it_is(TupleTableSlot *) {}

// Those of a row in memory, but that it is not copied before it is inserted.
const TupleTableSlotOps *slot_operations() {
    static TupleTableSlotOps operations;
    operations = TTSOpsHeapTuple;
    operations.materialize = stay_where_it_is;
    return &operations;
}

bool is_full(const row_batch *batch) {
    return batch->room < batch->page_room / 4;
}

// How many pages the rows of the batch, and those to come, may fill.
int pages_for(const row_batch *batch, std::size_t to_come) {
    const std::size_t rows = static_cast<std::size_t>(std::max(batch->count, 1));
    return static_cast<int>(std::min<std::size_t>(1 + to_come / rows, PG_INT16_MAX));
}

} // namespace

row_batch *begin_rows(Relation heap, int limit, bool fills_gaps) {
    row_batch *batch = static_cast<row_batch *>(::palloc0(sizeof(row_batch)));
    batch->heap = heap;
    batch->limit = std::min(limit, row_batch::most_rows);
    batch->fills_gaps = fills_gaps;
    batch->page_room = BLCKSZ - SizeOfPageHeaderData - RelationGetTargetPageFreeSpace(heap, HEAP_DEFAULT_FILLFACTOR);
    batch->room = batch->page_room;
    batch->pages = begin_new_pages(heap, nullptr);
    const std::size_t most = static_cast<std::size_t>(batch->limit);
    batch->rows = static_cast<HeapTupleData *>(::palloc0(sizeof(HeapTupleData) * most));
    batch->slots = static_cast<TupleTableSlot **>(::palloc(sizeof(TupleTableSlot *) * most));
    const TupleTableSlotOps *operations = slot_operations();
    for (int i = 0; i < batch->limit; i++)
        batch->slots[i] = ::MakeSingleTupleTableSlot(RelationGetDescr(heap), operations);
    return batch;
}

void add_row(row_batch *batch, HeapTupleHeader row, std::size_t length) noexcept {
    HeapTupleData &tuple = batch->rows[batch->count];
    tuple.t_data = row;
    tuple.t_len = static_cast<std::uint32_t>(length);
    tuple.t_tableOid = RelationGetRelid(batch->heap);
    ItemPointerSetInvalid(&tuple.t_self);
    TupleTableSlot *slot = batch->slots[batch->count++];
    HeapTupleTableSlot *of_heap = reinterpret_cast<HeapTupleTableSlot *>(slot);
    of_heap->tuple = &tuple;
    of_heap->off = 0;
    slot->tts_nvalid = 0;
    slot->tts_flags = static_cast<std::uint16_t>(slot->tts_flags & ~TTS_FLAG_EMPTY);
    const std::size_t taken = MAXALIGN(length) + sizeof(ItemIdData);
    batch->room -= std::min(batch->room, taken);
}

void write_rows(row_batch *batch, std::size_t to_come) {
    if (batch->fills_gaps) {
        ::table_multi_insert(batch->heap, batch->slots, batch->count, ::GetCurrentCommandId(true), 0, nullptr);
        return;
    }
    BulkInsertStateData where{};
#if PG_VERSION_NUM >= 160000
    where.next_free = where.last_free = InvalidBlockNumber;
#endif
    // A few rows go to what room there is.
    if (batch->pages && is_full(batch))
        go_on_with_new_page(batch->pages, &where, pages_for(batch, to_come));
    ::table_multi_insert(batch->heap, batch->slots, batch->count, ::GetCurrentCommandId(true), TABLE_INSERT_SKIP_FSM,
                         &where);
    if (BufferIsValid(where.current_buf))
        ::ReleaseBuffer(where.current_buf);
    keep_log_written(batch->log, batch->page_room - std::min(batch->page_room, batch->room));
}

void clear_rows(row_batch *batch) noexcept {
    for (int i = 0; i < batch->count; i++) {
        HeapTupleTableSlot *slot = reinterpret_cast<HeapTupleTableSlot *>(batch->slots[i]);
        slot->tuple = nullptr;
        slot->base.tts_nvalid = 0;
        slot->base.tts_flags = static_cast<std::uint16_t>(slot->base.tts_flags | TTS_FLAG_EMPTY);
    }
    batch->count = 0;
    batch->room = batch->page_room;
}

void end_rows(row_batch *batch) {
    if (batch->pages)
        end_new_pages(batch->pages);
    for (int i = 0; i < batch->limit; i++)
        ::ExecDropSingleTupleTableSlot(batch->slots[i]);
    ::table_finish_bulk_insert(batch->heap, TABLE_INSERT_SKIP_FSM);
}

} // namespace etl::pg
