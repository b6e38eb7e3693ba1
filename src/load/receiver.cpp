// PG regime: called from the executor, may ereport; no local here needs a destructor.
#include "load/receiver.hpp"

#include "load/writer.hpp"

extern "C" {
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
}

namespace etl::load {

namespace {

// A batch is what the writer gets at once: few rows, so that they are in the cache still.
constexpr int batch_rows = 64;
// A batch of wide rows ends early: this much is held at most, give or take one row.
constexpr std::size_t batch_bytes = std::size_t{1} << 20;

struct batch_receiver {
    DestReceiver base; // first, as the executor knows no more than this
    Relation target;
    row_writer *writer;
    MemoryContext batch; // the rows, and what writing them leaves behind
    HeapTuple rows[batch_rows];
    EState *checks; // NULL where the target has nothing to check
    ResultRelInfo *checked;
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
    const MemoryContext before = ::MemoryContextSwitchTo(self->batch);
    write_rows(self->writer, self->rows, self->filled);
    ::MemoryContextSwitchTo(before);
    ::MemoryContextReset(self->batch);
    self->written += self->filled;
    self->filled = 0;
    self->bytes = 0;
    CHECK_FOR_INTERRUPTS();
}

bool receive(TupleTableSlot *row, DestReceiver *base) {
    batch_receiver *self = of(base);
    if (self->checks) {
        ::ExecConstraints(self->checked, row, self->checks);
        ResetPerTupleExprContext(self->checks);
    }
    // Forms the row; what it was made from may go with the next one.
    const MemoryContext before = ::MemoryContextSwitchTo(self->batch);
    const HeapTuple formed = ::ExecCopySlotHeapTuple(row);
    ::MemoryContextSwitchTo(before);
    self->rows[self->filled++] = formed;
    self->bytes += formed->t_len;
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
    self->writer = open_writer(self->target);
    prepare_checks(self);
}

void shut_down(DestReceiver *base) {
    batch_receiver *self = of(base);
    write_batch(self);
    finish_writer(self->writer);
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
