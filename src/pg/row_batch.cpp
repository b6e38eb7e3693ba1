// Boundary: rows to pages. PostgreSQL 16 takes pages by many itself.
#include "pg/row_batch.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
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

#if PG_VERSION_NUM < 160000
// The next of our pages, pinned. Others may have found it meanwhile, and put rows there.
Buffer next_page(row_batch *batch, std::size_t to_come) {
    if (batch->page < batch->page_count)
        return batch->pages[batch->page++];
    const std::size_t rows = static_cast<std::size_t>(batch->count);
    const int wanted = static_cast<int>(
        std::min<std::size_t>(static_cast<std::size_t>(batch->next_count), 1 + to_come / std::max<std::size_t>(rows, 1)));
    batch->page = batch->page_count = 0;
    ::LockRelationForExtension(batch->heap, ExclusiveLock);
    while (batch->page_count < wanted)
        batch->pages[batch->page_count++] =
            ::ReadBufferExtended(batch->heap, MAIN_FORKNUM, P_NEW, RBM_NORMAL, nullptr);
    ::UnlockRelationForExtension(batch->heap, ExclusiveLock);
    // Pages that are pinned together must not be more than each process can have of a small cache.
    const int fair = std::clamp(NBuffers / (MaxBackends + 1), 1, row_batch::most_pages);
    batch->next_count = std::min(2 * batch->next_count, fair);
    return batch->pages[batch->page++];
}
#endif

} // namespace

row_batch *begin_rows(Relation heap, int limit, bool fills_gaps) {
    row_batch *batch = static_cast<row_batch *>(::palloc0(sizeof(row_batch)));
    batch->heap = heap;
    batch->limit = std::min(limit, row_batch::most_rows);
    batch->fills_gaps = fills_gaps;
    batch->page_room = BLCKSZ - SizeOfPageHeaderData - RelationGetTargetPageFreeSpace(heap, HEAP_DEFAULT_FILLFACTOR);
    batch->room = batch->page_room;
    batch->next_count = 1;
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
#if PG_VERSION_NUM < 160000
    // A few rows go to what room there is.
    if (is_full(batch))
        where.current_buf = next_page(batch, to_come);
#endif
    ::table_multi_insert(batch->heap, batch->slots, batch->count, ::GetCurrentCommandId(true), TABLE_INSERT_SKIP_FSM,
                         &where);
    if (BufferIsValid(where.current_buf))
        ::ReleaseBuffer(where.current_buf);
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
    for (; batch->page < batch->page_count; batch->page++) {
        const Buffer page = batch->pages[batch->page];
        const BlockNumber number = ::BufferGetBlockNumber(page);
        ::ReleaseBuffer(page);
        ::RecordPageWithFreeSpace(batch->heap, number, BLCKSZ - SizeOfPageHeaderData);
    }
    for (int i = 0; i < batch->limit; i++)
        ::ExecDropSingleTupleTableSlot(batch->slots[i]);
    ::table_finish_bulk_insert(batch->heap, TABLE_INSERT_SKIP_FSM);
}

} // namespace etl::pg
