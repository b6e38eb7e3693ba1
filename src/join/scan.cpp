// PG regime: called from the executor, may ereport; no local here needs a destructor.
#include "join/scan.hpp"

#include "join/hits.hpp"
#include "join/look_up.hpp"
#include "join/show.hpp"
#include "pg/clock.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
}

#include <algorithm>

namespace etl::join {

namespace {

struct key_join {
    CustomScanState base; // first, as the executor knows no more than this
    layout join;
    MemoryContext memory; // null until rows are asked for
    pass keys;
    int dimension_count;
    dimension *dimensions;
    hits batch;
    row_keeper keeper;
    std::int64_t reading; // ns of the processor
};

key_join *of(CustomScanState *node) {
    return reinterpret_cast<key_join *>(node);
}

// Which relation has the column that leads to a dimension.
int place_of_leader(const pass &keys, const member &part) {
    int place = 0;
    while (keys.relations[place].part->relation != part.led_by)
        place++;
    return place;
}

void begin(CustomScanState *node, EState *, int) {
    key_join *self = of(node);
    const CustomScan *plan = castNode(CustomScan, node->ss.ps.plan);
    self->join = scan_layout(plan);
    self->keys.scan = node;
    self->keys.relations = static_cast<relation *>(::palloc0(sizeof(relation) * most_members));
    self->dimensions = static_cast<dimension *>(::palloc0(sizeof(dimension) * most_members));
    for (int i = 0; i < self->join.count; i++) {
        const member &part = self->join.members[i];
        List *filter = static_cast<List *>(list_nth(plan->custom_exprs, i));
        if (part.what == duty::look_up)
            open_dimension(self->dimensions[self->dimension_count++], part, node, filter);
        else
            open_relation(self->keys.relations[self->keys.count++], part, node, filter);
    }
    for (int i = 0; i < self->dimension_count; i++)
        self->dimensions[i].leader = place_of_leader(self->keys, *self->dimensions[i].table.part);
}

ArrayType *list_of(const key_join *self) {
    const CustomScan *plan = castNode(CustomScan, self->base.ss.ps.plan);
    return DatumGetArrayTypeP(castNode(Const, list_nth(plan->custom_exprs, self->join.count))->constvalue);
}

void read_list(key_join *self) {
    Datum *elements;
    bool *nulls;
    int count;
    ::deconstruct_array(list_of(self), INT8OID, sizeof(std::int64_t), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements,
                        &nulls, &count);
    std::int64_t *keys =
        static_cast<std::int64_t *>(::palloc(sizeof(std::int64_t) * static_cast<std::size_t>(count + 1)));
    std::int64_t *end = keys;
    for (int i = 0; i < count; i++)
        if (!nulls[i])
            *end++ = DatumGetInt64(elements[i]);
    std::sort(keys, end);
    self->keys.has_list = true;
    self->keys.list = {keys, static_cast<int>(std::unique(keys, end) - keys)};
}

void start(key_join *self) {
    self->memory = AllocSetContextCreate(self->base.ss.ps.state->es_query_cxt, "etl key join", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext before = ::MemoryContextSwitchTo(self->memory);
    for (int i = 0; i < self->dimension_count; i++)
        start_looking_up(self->dimensions[i], &self->base, self->memory);
    self->keys.gathered = create_keyed_rows(self->memory);
    start_hits(self->batch, self->memory);
    if (self->join.of_list)
        read_list(self);
    start_passes(self->keys);
    ::MemoryContextSwitchTo(before);
}

// Expressions over the rows of a batch may leave this much behind.
constexpr std::size_t most_left_behind = std::size_t{8} * 1024 * 1024;

bool has_much_left_behind(const key_join *self) {
    const ExprContext *expressions = self->base.ss.ps.ps_ExprContext;
    return ::MemoryContextMemAllocated(expressions->ecxt_per_tuple_memory, false) > most_left_behind;
}

// Ends the life of the rows that were returned.
void forget_rows(key_join *self) {
    if (self->keeper.about_to_forget)
        self->keeper.about_to_forget(self->keeper.whom);
    ResetExprContext(self->base.ss.ps.ps_ExprContext);
}

// Walks over pages make bitmaps that live until their end.
bool next_batch(key_join *self) {
    forget_rows(self);
    const std::int64_t from = pg::processor_nanoseconds();
    const MemoryContext before = ::MemoryContextSwitchTo(self->memory);
    for (int i = 0; i < self->dimension_count; i++)
        keep_within_memory(self->dimensions[i]);
    const bool more = next_hits(self->batch, self->keys);
    for (int i = 0; i < self->dimension_count; i++)
        prefetch_rows(self->dimensions[i], self->batch, self->keys);
    ::MemoryContextSwitchTo(before);
    self->reading += pg::processor_nanoseconds() - from;
    return more;
}

bool join_hit(key_join *self, const hit &found) {
    TupleTableSlot *joined = self->base.ss.ss_ScanTupleSlot;
    const pass &keys = self->keys;
    const relation &drive = keys.relations[keys.count - 1];
    if (!passes(drive, found.row, &self->base))
        return false;
    fill(drive, found.row, joined);
    for (int i = 0; i < keys.count - 1; i++) {
        const HeapTupleHeader kept = found.found->rows[i];
        if (kept)
            fill(keys.relations[i], kept, joined);
        else
            fill_null(keys.relations[i], joined);
    }
    for (int i = 0; i < self->dimension_count; i++)
        if (!look_up(self->dimensions[i], &self->base))
            return false;
    return true;
}

// From the second-level cache, where they came when the hit was copied, to the first.
constexpr int hits_ahead = 3;

bool next_joined(key_join *self) {
    do {
        while (self->batch.next < self->batch.count) {
            if (self->batch.next + hits_ahead < self->batch.count)
                prefetch_partners(self->batch.list[self->batch.next + hits_ahead], self->keys);
            if (has_much_left_behind(self))
                forget_rows(self);
            if (join_hit(self, self->batch.list[self->batch.next++]))
                return true;
        }
    } while (next_batch(self));
    return false;
}

// As ExecScan would do it, but for one thing: what the expressions of a row leave behind is forgotten with its batch,
// not with the row.
TupleTableSlot *execute(CustomScanState *node) {
    key_join *self = of(node);
    TupleTableSlot *joined = ::ExecClearTuple(node->ss.ss_ScanTupleSlot);
    ProjectionInfo *projection = node->ss.ps.ps_ProjInfo;
    // Filters read it while it is being filled.
    ::ExecStoreVirtualTuple(joined);
    if (!self->memory) {
        const std::int64_t from = pg::processor_nanoseconds();
        start(self);
        self->reading += pg::processor_nanoseconds() - from;
    }
    if (!next_joined(self)) {
        ::ExecClearTuple(joined);
        return projection ? ::ExecClearTuple(projection->pi_state.resultslot) : joined;
    }
    if (!projection)
        return joined;
    node->ss.ps.ps_ExprContext->ecxt_scantuple = joined;
    return ::ExecProject(projection);
}

void stop(CustomScanState *node) {
    key_join *self = of(node);
    if (!self->memory)
        return;
    ::ExecClearTuple(node->ss.ss_ScanTupleSlot);
    stop_passes(self->keys);
    for (int i = 0; i < self->dimension_count; i++)
        stop_looking_up(self->dimensions[i]);
    ::MemoryContextDelete(self->memory);
    self->memory = nullptr;
}

void explain(CustomScanState *node, List *, ExplainState *shown) {
    const key_join *self = of(node);
    show(self->join, self->join.of_list ? ::ArrayGetNItems(ARR_NDIM(list_of(self)), ARR_DIMS(list_of(self))) : 0,
         self->keys.passes, self->keys.most_memory, shown);
}

CustomExecMethods make_exec_methods() {
    CustomExecMethods methods{};
    methods.CustomName = scan_methods.CustomName;
    methods.BeginCustomScan = begin;
    methods.ExecCustomScan = execute;
    methods.EndCustomScan = stop;
    methods.ReScanCustomScan = stop;
    methods.ExplainCustomScan = explain;
    return methods;
}

Node *create_state(CustomScan *) {
    static const CustomExecMethods methods = make_exec_methods();
    key_join *self = static_cast<key_join *>(::palloc0(sizeof(key_join)));
    NodeSetTag(self, T_CustomScanState);
    self->base.methods = &methods;
    return reinterpret_cast<Node *>(self);
}

bool is_key_join(const PlanState *plan) {
    return IsA(plan, CustomScanState) &&
           strcmp(reinterpret_cast<const CustomScanState *>(plan)->methods->CustomName, scan_methods.CustomName) == 0;
}

} // namespace

List *private_list(const layout &join) {
    bytea *bytes = static_cast<bytea *>(::palloc(VARHDRSZ + sizeof join));
    SET_VARSIZE(bytes, VARHDRSZ + sizeof join);
    memcpy(VARDATA(bytes), &join, sizeof join);
    return list_make1(::makeConst(BYTEAOID, -1, InvalidOid, -1, PointerGetDatum(bytes), false, false));
}

layout scan_layout(const CustomScan *plan) {
    const Const *bytes = castNode(Const, linitial(plan->custom_private));
    layout join;
    memcpy(&join, VARDATA(DatumGetPointer(bytes->constvalue)), sizeof join);
    return join;
}

bool keep_rows(PlanState *plan, const row_keeper &keeper) {
    // The result of a subquery goes with its next one.
    if (!is_key_join(plan) || plan->subPlan != NIL)
        return false;
    of(reinterpret_cast<CustomScanState *>(plan))->keeper = keeper;
    return true;
}

std::int64_t reading_nanoseconds(const PlanState *plan) {
    return is_key_join(plan) ? reinterpret_cast<const key_join *>(plan)->reading : 0;
}

const CustomScanMethods scan_methods{"EtlKeyJoin", create_state};

} // namespace etl::join
