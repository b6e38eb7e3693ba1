// PG regime: called from the executor, may ereport; no local here needs a destructor.
#include "load/receiver.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
}

namespace etl::load {

namespace {

// Larger batches fall out of the cache and measure slower.
constexpr int batch_rows = 64;
// A batch of wide rows ends early: this much is held at most, give or take one row.
constexpr std::size_t batch_bytes = std::size_t{1} << 20;
constexpr int insert_options = TABLE_INSERT_SKIP_FSM;

struct batch_receiver {
    DestReceiver base; // first, as the executor knows no more than this
    Relation target;
    MemoryContext batch;    // what writing a batch leaves behind
    TupleTableSlot **slots; // batch_rows of them
    BulkInsertState bulk;
    EState *checks; // NULL where the target has nothing to check
    ResultRelInfo *checked;
    CommandId command;
    int filled;
    std::size_t bytes;
    std::int64_t written;
};

batch_receiver *of(DestReceiver *base) {
    return reinterpret_cast<batch_receiver *>(base);
}

void write_batch(batch_receiver *self) {
    if (self->filled == 0)
        return;
    // The table's code leaks into the current context by design.
    const MemoryContext before = ::MemoryContextSwitchTo(self->batch);
    ::table_multi_insert(self->target, self->slots, self->filled, self->command, insert_options, self->bulk);
    ::MemoryContextSwitchTo(before);
    for (int i = 0; i < self->filled; i++)
        ::ExecClearTuple(self->slots[i]);
    ::MemoryContextReset(self->batch);
    if (self->checks)
        ResetPerTupleExprContext(self->checks);
    self->written += self->filled;
    self->filled = 0;
    self->bytes = 0;
    CHECK_FOR_INTERRUPTS();
}

bool receive(TupleTableSlot *row, DestReceiver *base) {
    batch_receiver *self = of(base);
    TupleTableSlot *slot = self->slots[self->filled];
    // Forms the row once, in the slot's own memory; what the row points to may go with the next one.
    ::ExecCopySlot(slot, row);
    if (self->checks)
        ::ExecConstraints(self->checked, slot, self->checks);
    bool must_free;
    self->bytes += ::ExecFetchSlotHeapTuple(slot, false, &must_free)->t_len;
    self->filled++;
    if (self->filled == batch_rows || self->bytes >= batch_bytes)
        write_batch(self);
    return true;
}

// Constraints are checked by the executor's own code, which wants a range table to speak of.
void prepare_checks(batch_receiver *self) {
    const TupleConstr *constraints = RelationGetDescr(self->target)->constr;
    if (!constraints || (!constraints->has_not_null && constraints->num_check == 0))
        return;
    RangeTblEntry *entry = makeNode(RangeTblEntry);
    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(self->target);
    entry->relkind = self->target->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
    self->checks = ::CreateExecutorState();
    ::ExecInitRangeTable(self->checks, list_make1(entry));
    self->checked = makeNode(ResultRelInfo);
    ::ExecInitResultRelation(self->checks, self->checked, 1);
}

void start_up(DestReceiver *base, int, TupleDesc rows) {
    batch_receiver *self = of(base);
    const TupleDesc columns = RelationGetDescr(self->target);
    bool same = rows->natts == columns->natts;
    for (int i = 0; same && i < rows->natts; i++)
        same = TupleDescAttr(columns, i)->attisdropped ||
               TupleDescAttr(columns, i)->atttypid == TupleDescAttr(rows, i)->atttypid;
    if (!same)
        elog(ERROR, "rows do not have the shape of table \"%s\"", RelationGetRelationName(self->target));

    self->batch = AllocSetContextCreate(CurrentMemoryContext, "etl batch", ALLOCSET_DEFAULT_SIZES);
    self->slots = static_cast<TupleTableSlot **>(::palloc(sizeof(TupleTableSlot *) * batch_rows));
    for (int i = 0; i < batch_rows; i++)
        self->slots[i] = ::MakeSingleTupleTableSlot(columns, &TTSOpsHeapTuple);
    self->bulk = ::GetBulkInsertState();
    self->command = ::GetCurrentCommandId(true);
    prepare_checks(self);
}

void shut_down(DestReceiver *base) {
    batch_receiver *self = of(base);
    write_batch(self);
    ::FreeBulkInsertState(self->bulk);
    ::table_finish_bulk_insert(self->target, insert_options);
    // Slots hold on to the row type until they are dropped.
    for (int i = 0; i < batch_rows; i++)
        ::ExecDropSingleTupleTableSlot(self->slots[i]);
    if (self->checks) {
        ::ExecCloseResultRelations(self->checks);
        ::ExecCloseRangeTableRelations(self->checks);
        ::FreeExecutorState(self->checks);
    }
    ::MemoryContextDelete(self->batch);
}

void destroy(DestReceiver *base) {
    ::pfree(of(base));
}

} // namespace

DestReceiver *create_receiver(Relation target) {
    batch_receiver *self = static_cast<batch_receiver *>(::palloc0(sizeof(batch_receiver)));
    self->base.receiveSlot = receive;
    self->base.rStartup = start_up;
    self->base.rShutdown = shut_down;
    self->base.rDestroy = destroy;
    self->base.mydest = DestNone;
    self->target = target;
    return &self->base;
}

std::int64_t rows_written(const DestReceiver *receiver) {
    return reinterpret_cast<const batch_receiver *>(receiver)->written;
}

} // namespace etl::load
