// PG regime: may ereport, so no local here needs a destructor.
#include "fold/write.hpp"

#include "fold/emptied.hpp"
#include "fold/key_probe.hpp"
#include "fold/state_former.hpp"
#include "pg/heap_rows.hpp"
#include "pg/key_entries.hpp"
#include "pg/row_batch.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::fold {

namespace {

// Beside others no more rows are made at a time: so long nobody can meet them.
constexpr int most_beside_others = 64;
// Index entries of so many rows are made at a time: several pages full.
constexpr std::size_t most_entries = 4096;
// Lids that have lost their row are recorded so many at a time.
constexpr std::size_t most_emptied = 1024;

} // namespace

struct state_writer {
    Relation table;
    Oid key; // unique index on lid
    state_columns columns;
    other_writers others;
    TimestampTz now;
    EState *state;
    ResultRelInfo *target;
    MemoryContext batch;   // what writing a batch leaves behind
    MemoryContext waiting; // rows of the batch that the former could not make
    pg::row_batch *rows;
    std::int64_t lids[pg::row_batch::most_rows]; // of these rows
    state_former former;
    char *formed, *next; // rows that the former has made; where it makes the next one
    const kernel::price_state *end; // of the states
    pg::key_entry *entries; // still to be made for rows inserted; NULL: made row by row
    std::size_t entry_count;
    // Beside others. Either rows wait to be inserted or lids to be folded anew, never both.
    key_probe *probe;
    std::int64_t *lids_anew;
    std::size_t count_anew;
    std::int64_t emptied[most_emptied];
    std::size_t empty_count;
    TupleTableSlot *changed, *present; // a row to be updated; a row that is there
    row_prices changed_prices;
    std::int64_t written;
};

namespace {

Oid find_key(Relation table, AttrNumber lid) {
    Oid found = InvalidOid;
    List *indexes = ::RelationGetIndexList(table);
    ListCell *cell;
    foreach (cell, indexes) {
        const Relation index = ::index_open(lfirst_oid(cell), AccessShareLock);
        const Form_pg_index key = index->rd_index;
        if (key->indisunique && key->indisvalid && key->indnkeyatts == 1 && !key->indcheckxmin &&
            key->indkey.values[0] == lid && ::RelationGetIndexPredicate(index) == NIL)
            found = RelationGetRelid(index);
        ::index_close(index, NoLock);
    }
    ::list_free(indexes);
    return found;
}

// Equal numbers of different scales are different states, so prices are compared byte by byte.
bool same_row(const state_writer *writer, TupleTableSlot *present, const TupleTableSlot *wanted) {
    slot_getallattrs(present);
    for (const AttrNumber column : {writer->columns.first_day, writer->columns.last_day})
        if (present->tts_isnull[column - 1] || present->tts_values[column - 1] != wanted->tts_values[column - 1])
            return false;
    for (const AttrNumber column : writer->columns.price) {
        if (present->tts_isnull[column - 1])
            return false;
        struct varlena *old = pg_detoast_datum_packed(
            reinterpret_cast<struct varlena *>(DatumGetPointer(present->tts_values[column - 1])));
        const struct varlena *price =
            reinterpret_cast<const struct varlena *>(DatumGetPointer(wanted->tts_values[column - 1]));
        if (VARSIZE_ANY_EXHDR(old) != VARSIZE_ANY_EXHDR(price) ||
            memcmp(VARDATA_ANY(old), VARDATA_ANY(price), VARSIZE_ANY_EXHDR(price)) != 0)
            return false;
    }
    return true;
}

void fold_pending(state_writer *writer) {
    if (writer->count_anew == 0)
        return;
    writer->written += writer->others.anew(writer->others.prices, RelationGetRelid(writer->table), writer->lids_anew,
                                           writer->count_anew);
    writer->count_anew = 0;
}

// The index entries of a batch whose rows lie in the table, where nobody can meet them yet. Where a lid has got a row
// meanwhile, the one of the batch goes again.
void enter_beside_others(state_writer *writer) {
    const int count = writer->rows->count;
    for (int i = 0; i < count; i++) {
        for (int free = count_free(writer->probe, writer->lids + i, count - i); free > 0; free--, i++)
            pg::insert_index_entries_unless_taken(writer->target, writer->rows->slots[i], writer->state);
        if (i == count)
            break;
        ::CommandCounterIncrement();
        ::simple_heap_delete(writer->table, &writer->rows->slots[i]->tts_tid);
        writer->written--;
        writer->lids_anew[writer->count_anew++] = writer->lids[i];
        fold_pending(writer);
    }
}

void enter(state_writer *writer) {
    if (writer->entry_count == 0)
        return;
    const MemoryContext before = ::MemoryContextSwitchTo(writer->batch);
    pg::insert_key_entries(writer->target, writer->entries, writer->entry_count);
    ::MemoryContextSwitchTo(before);
    writer->entry_count = 0;
}

void enter_batch(state_writer *writer) {
    if (!writer->entries)
        for (int i = 0; i < writer->rows->count; i++)
            pg::insert_index_entries(writer->target, writer->rows->slots[i], writer->state, false);
    else
        for (int i = 0; i < writer->rows->count; i++)
            writer->entries[writer->entry_count++] = {writer->lids[i], writer->rows->slots[i]->tts_tid};
    if (writer->entry_count + pg::row_batch::most_rows > most_entries)
        enter(writer);
}

// `to_come`: so many states may have rows after those of the batch.
void flush(state_writer *writer, std::size_t to_come = 0) {
    if (writer->rows->count == 0)
        return;
    // The table's code leaks into the current context by design. No ring of buffers: the next chunks read these pages.
    const MemoryContext before = ::MemoryContextSwitchTo(writer->batch);
    pg::write_rows(writer->rows, to_come);
    writer->written += writer->rows->count;
    if (writer->others.anew)
        enter_beside_others(writer);
    else
        enter_batch(writer);
    pg::clear_rows(writer->rows);
    ::MemoryContextSwitchTo(before);
    ::MemoryContextReset(writer->batch);
    ::MemoryContextReset(writer->waiting);
    writer->next = writer->formed;
    CHECK_FOR_INTERRUPTS();
}

struct formed_row {
    HeapTupleHeader row;
    std::size_t length;
};

formed_row form(state_writer *writer, const kernel::price_state &state) {
    if (can_form(writer->former, state))
        return {reinterpret_cast<HeapTupleHeader>(writer->next),
                form_state(writer->former, state, writer->now, writer->next)};
    store_state(writer->columns, writer->changed, state, writer->changed_prices, writer->now);
    const MemoryContext before = ::MemoryContextSwitchTo(writer->waiting);
    const HeapTuple tuple = ::heap_form_tuple(RelationGetDescr(writer->table), writer->changed->tts_values,
                                              writer->changed->tts_isnull);
    ::MemoryContextSwitchTo(before);
    return {tuple->t_data, tuple->t_len};
}

void insert(state_writer *writer, const kernel::price_state &state) {
    fold_pending(writer);
    formed_row made = form(writer, state);
    if (!pg::takes_row(writer->rows, made.length)) {
        flush(writer, static_cast<std::size_t>(writer->end - &state));
        made = form(writer, state);
    }
    writer->lids[writer->rows->count] = state.lid;
    pg::add_row(writer->rows, made.row, made.length);
    if (reinterpret_cast<char *>(made.row) == writer->next)
        writer->next += MAXALIGN(made.length);
}

void leave_to_others(state_writer *writer, std::int64_t lid) {
    flush(writer);
    writer->lids_anew[writer->count_anew++] = lid;
    if (writer->count_anew == writer->others.most)
        fold_pending(writer);
}

void update_if_changed(state_writer *writer, const kernel::price_state &state, Snapshot snapshot) {
    store_state(writer->columns, writer->changed, state, writer->changed_prices, writer->now);
    const MemoryContext before = ::MemoryContextSwitchTo(writer->batch);
    const bool same = same_row(writer, writer->present, writer->changed);
    if (!same && !writer->others.anew) {
        pg::update_row(writer->target, &writer->present->tts_tid, writer->changed, writer->state, snapshot);
        writer->written++;
    }
    ::MemoryContextSwitchTo(before);
    // Rows that wait have nothing there.
    ::MemoryContextReset(writer->batch);
    if (!same && writer->others.anew)
        leave_to_others(writer, state.lid);
}

void record_removed(state_writer *writer) {
    record_emptied(RelationGetRelid(writer->table), writer->emptied, writer->empty_count);
    writer->empty_count = 0;
}

void remove(state_writer *writer, std::int64_t lid, Snapshot snapshot) {
    if (writer->others.anew)
        return leave_to_others(writer, lid);
    pg::delete_row(writer->table, &writer->present->tts_tid, snapshot);
    writer->written++;
    if (writer->empty_count == most_emptied)
        record_removed(writer);
    writer->emptied[writer->empty_count++] = lid;
}

int keys_of_range(ScanKeyData *keys, std::int64_t low, std::int64_t high) {
    int count = 0;
    if (low != PG_INT64_MIN)
        ::ScanKeyInit(&keys[count++], 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(low));
    if (high != PG_INT64_MAX)
        ::ScanKeyInit(&keys[count++], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(high));
    return count;
}

} // namespace

state_writer *begin_writing(Relation table, const event_coding &coding, const other_writers &others) {
    state_writer *writer = static_cast<state_writer *>(::palloc0(sizeof(state_writer)));
    writer->table = table;
    if (!find_state_columns(RelationGetDescr(table), coding, writer->columns))
        elog(ERROR, "price state \"%s\" lacks a column", RelationGetRelationName(table));
    writer->key = find_key(table, writer->columns.lid);
    writer->now = ::GetCurrentTransactionStartTimestamp();
    writer->batch = AllocSetContextCreate(CurrentMemoryContext, "etl fold batch", ALLOCSET_DEFAULT_SIZES);
    writer->waiting = AllocSetContextCreate(CurrentMemoryContext, "etl fold rows", ALLOCSET_DEFAULT_SIZES);
    writer->state = ::CreateExecutorState();
    writer->target = makeNode(ResultRelInfo);
    ::InitResultRelInfo(writer->target, table, 0, nullptr, 0);
    ::ExecOpenIndices(writer->target, false);
    if (!others.anew && pg::takes_key_entries(writer->target))
        writer->entries = static_cast<pg::key_entry *>(::palloc(sizeof(pg::key_entry) * most_entries));
    writer->rows = pg::begin_rows(table, others.anew ? most_beside_others : pg::row_batch::most_rows);
    prepare_former(writer->former, RelationGetDescr(table), writer->columns);
    writer->formed = writer->next = static_cast<char *>(::palloc(BLCKSZ + state_former::most_bytes));
    writer->changed = ::table_slot_create(table, nullptr);
    writer->present = ::table_slot_create(table, nullptr);
    writer->others = others;
    if (others.anew) {
        writer->probe = begin_probing(table, writer->key, writer->columns.lid);
        writer->lids_anew = static_cast<std::int64_t *>(::palloc(sizeof(std::int64_t) * others.most));
    }
    return writer;
}

std::int64_t write_states(state_writer *writer, const kernel::price_state *states, std::size_t count, std::int64_t low,
                          std::int64_t high) {
    writer->written = 0;
    const kernel::price_state *next = states, *const end = writer->end = states + count;
    if (RelationGetNumberOfBlocks(writer->table) > 0) {
        // A published table without a replica identity takes no updates.
        ::CheckCmdReplicaIdentity(writer->table, CMD_UPDATE);
        ::CheckCmdReplicaIdentity(writer->table, CMD_DELETE);
        const Snapshot snapshot = ::GetActiveSnapshot();
        const Relation index = ::index_open(writer->key, AccessShareLock);
        ScanKeyData keys[2];
        const int key_count = keys_of_range(keys, low, high);
        const IndexScanDesc scan = ::index_beginscan(writer->table, index, snapshot, key_count, 0);
        ::index_rescan(scan, keys, key_count, nullptr, 0);
        while (::index_getnext_slot(scan, ForwardScanDirection, writer->present)) {
            CHECK_FOR_INTERRUPTS();
            bool is_null;
            const std::int64_t lid = DatumGetInt64(::slot_getattr(writer->present, writer->columns.lid, &is_null));
            while (next < end && next->lid < lid)
                insert(writer, *next++);
            if (next < end && next->lid == lid)
                update_if_changed(writer, *next++, snapshot);
            else
                remove(writer, lid, snapshot);
        }
        ::index_endscan(scan);
        ::index_close(index, NoLock);
        ::ExecClearTuple(writer->present);
    }
    while (next < end)
        insert(writer, *next++);
    flush(writer);
    enter(writer);
    fold_pending(writer);
    record_removed(writer);
    return writer->written;
}

void end_writing(state_writer *writer) {
    pg::end_rows(writer->rows);
    ::ExecDropSingleTupleTableSlot(writer->changed);
    ::ExecDropSingleTupleTableSlot(writer->present);
    ::ExecCloseIndices(writer->target);
    ::FreeExecutorState(writer->state);
    if (writer->others.anew)
        end_probing(writer->probe);
    ::MemoryContextDelete(writer->waiting);
    ::MemoryContextDelete(writer->batch);
    ::pfree(writer);
}

} // namespace etl::fold
