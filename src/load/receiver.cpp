// PG regime: called from the executor, may ereport; no local here needs a destructor.
#include "load/receiver.hpp"

#include "function/row_digest.hpp"
#include "join/scan.hpp"
#include "load/compute.hpp"
#include "load/former.hpp"
#include "load/writer.hpp"
#include "pg/clock.hpp"
#include "pg/usage.hpp"

extern "C" {
#include "access/detoast.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "utils/datum.h"
}

namespace etl::load {

namespace {

// A batch of wide rows ends early: copies of this much are held at most, give or take one row.
constexpr std::size_t batch_bytes = std::size_t{1} << 20;

struct batch_receiver {
    DestReceiver base; // first, as the executor knows no more than this
    Relation target;
    lifted_columns lifted;
    PlanState *plan;
    bool rows_stay; // the plan says when rows go; else they are copied
    batch rows;
    std::size_t bytes; // that were copied
    computer *columns; // null: nothing is lifted
    former *formed;
    const Bitmapset *given;
    function::row_digester *digester;
    row_writer *writer;
    EState *checks; // NULL where the target has nothing to check
    ResultRelInfo *checked;
    TupleTableSlot *checked_row;
    costs spent;
    std::int64_t since; // when what is done now began
};

batch_receiver *of(DestReceiver *base) {
    return reinterpret_cast<batch_receiver *>(base);
}

// Adds the time since the last call to a sum.
void clock_in(batch_receiver *self, std::int64_t &sum) {
    const std::int64_t now = pg::processor_nanoseconds();
    sum += now - self->since;
    self->since = now;
}

void check_rows(batch_receiver *self) {
    TupleTableSlot *slot = self->checked_row;
    for (int i = 0; i < self->rows.rows; i++) {
        slot->tts_values = self->rows.row(i);
        slot->tts_isnull = self->rows.nulls_of(i);
        ::ExecConstraints(self->checked, slot, self->checks);
        ResetPerTupleExprContext(self->checks);
    }
}

void write_batch(batch_receiver *self) {
    batch &rows = self->rows;
    if (rows.rows == 0)
        return;
    clock_in(self, self->spent.columns);
    if (self->columns)
        compute(self->columns, rows);
    clock_in(self, self->spent.kernels);
    if (self->checks)
        check_rows(self);
    HeapTuple formed[batch_rows];
    // The table's code leaks into the current context by design.
    const MemoryContext before = ::MemoryContextSwitchTo(rows.memory);
    for (int i = 0; i < rows.rows; i++) {
        formed[i] = form_row(self->formed, rows.row(i), rows.nulls_of(i));
        self->spent.digest += function::digest_row(self->digester, rows.row(i), rows.nulls_of(i));
    }
    clock_in(self, self->spent.form);
    write_rows(self->writer, formed, rows.rows);
    ::MemoryContextSwitchTo(before);
    reset_rows(self->formed);
    ::MemoryContextReset(rows.memory);
    clock_in(self, self->spent.write);
    self->spent.rows += rows.rows;
    rows.rows = 0;
    self->bytes = 0;
    CHECK_FOR_INTERRUPTS();
}

// What the row points to may go with the next one.
void copy_values(batch_receiver *self, TupleDesc columns, Datum *values, const bool *nulls) {
    const MemoryContext before = ::MemoryContextSwitchTo(self->rows.memory);
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (nulls[i] || column->attbyval)
            continue;
        values[i] = ::datumCopy(values[i], false, column->attlen);
        self->bytes += ::datumGetSize(values[i], false, column->attlen);
    }
    ::MemoryContextSwitchTo(before);
}

// What kernels take is unpacked for the whole batch.
void count_packed(batch_receiver *self, TupleDesc columns, const Datum *values, const bool *nulls) {
    for (int i = 0; i < self->lifted.count; i++) {
        const lifted &one = self->lifted.list[i];
        for (int j = 0; one.what != lifted_by::memory && j < one.count; j++) {
            const int column = one.arguments[j];
            if (nulls[column] || TupleDescAttr(columns, column)->attlen != -1)
                continue;
            const char *value = DatumGetPointer(values[column]);
            if (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value))
                self->bytes += ::toast_raw_datum_size(values[column]);
        }
    }
}

bool receive(TupleTableSlot *row, DestReceiver *base) {
    batch_receiver *self = of(base);
    batch &rows = self->rows;
    ::slot_getallattrs(row);
    const std::size_t width = static_cast<std::size_t>(rows.width);
    memcpy(rows.row(rows.rows), row->tts_values, sizeof(Datum) * width);
    memcpy(rows.nulls_of(rows.rows), row->tts_isnull, sizeof(bool) * width);
    if (!self->rows_stay)
        copy_values(self, row->tts_tupleDescriptor, rows.row(rows.rows), rows.nulls_of(rows.rows));
    count_packed(self, row->tts_tupleDescriptor, rows.row(rows.rows), rows.nulls_of(rows.rows));
    rows.rows++;
    if (rows.rows == batch_rows || self->bytes >= batch_bytes)
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
    self->checked_row = ::MakeSingleTupleTableSlot(RelationGetDescr(self->target), &TTSOpsVirtual);
    ::ExecStoreVirtualTuple(self->checked_row);
}

void require_shape(Relation target, TupleDesc rows) {
    const TupleDesc columns = RelationGetDescr(target);
    bool same = rows->natts >= columns->natts;
    for (int i = 0; same && i < columns->natts; i++)
        same = TupleDescAttr(columns, i)->attisdropped ||
               TupleDescAttr(columns, i)->atttypid == TupleDescAttr(rows, i)->atttypid;
    if (!same)
        elog(ERROR, "rows do not have the shape of table \"%s\"", RelationGetRelationName(target));
}

void start_up(DestReceiver *base, int, TupleDesc columns) {
    batch_receiver *self = of(base);
    require_shape(self->target, columns);
    const std::size_t values = static_cast<std::size_t>(batch_rows) * static_cast<std::size_t>(columns->natts);
    self->rows.width = columns->natts;
    self->rows.values = static_cast<Datum *>(::palloc(sizeof(Datum) * values));
    self->rows.nulls = static_cast<bool *>(::palloc(sizeof(bool) * values));
    self->rows.memory = AllocSetContextCreate(CurrentMemoryContext, "etl batch", ALLOCSET_DEFAULT_SIZES);
    if (self->lifted.count > 0)
        self->columns = create_computer(self->lifted, columns);
    self->formed = create_former(RelationGetDescr(self->target));
    self->digester = function::create_row_digester(RelationGetDescr(self->target), self->given);
    self->writer = open_writer(self->target);
    prepare_checks(self);
    const join::row_keeper keeper{[](void *whom) { write_batch(static_cast<batch_receiver *>(whom)); }, self};
    self->rows_stay = self->plan && join::keep_rows(self->plan, keeper);
    self->since = pg::processor_nanoseconds();
}

void shut_down(DestReceiver *base) {
    batch_receiver *self = of(base);
    write_batch(self);
    clock_in(self, self->spent.columns);
    finish_writer(self->writer);
    clock_in(self, self->spent.write);
    self->spent.join = self->plan ? join::reading_nanoseconds(self->plan) : 0;
    self->spent.columns -= self->spent.join;
    self->spent.memory = pg::memory_bytes();
    if (self->columns)
        drop_computer(self->columns);
    if (self->checks) {
        ::ExecDropSingleTupleTableSlot(self->checked_row);
        ::ExecCloseResultRelations(self->checks);
        ::ExecCloseRangeTableRelations(self->checks);
        ::FreeExecutorState(self->checks);
    }
    ::MemoryContextDelete(self->rows.memory);
}

void destroy(DestReceiver *base) {
    ::pfree(of(base));
}

} // namespace

DestReceiver *create_receiver(Relation target, const lifted_columns &lifted, const Bitmapset *given) {
    batch_receiver *self = static_cast<batch_receiver *>(::palloc0(sizeof(batch_receiver)));
    self->base.receiveSlot = receive;
    self->base.rStartup = start_up;
    self->base.rShutdown = shut_down;
    self->base.rDestroy = destroy;
    self->base.mydest = DestNone;
    self->target = target;
    self->lifted = lifted;
    self->given = given;
    return &self->base;
}

void receive_from(DestReceiver *receiver, PlanState *plan) {
    of(receiver)->plan = plan;
}

costs costs_of(const DestReceiver *receiver) {
    return reinterpret_cast<const batch_receiver *>(receiver)->spent;
}

} // namespace etl::load
