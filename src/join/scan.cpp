// PG regime: called from the executor, may ereport; no local here needs a destructor.
#include "join/scan.hpp"

#include "join/look_up.hpp"
#include "join/pass.hpp"
#include "join/show.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
}

namespace etl::join {

namespace {

struct key_join {
    CustomScanState base; // first, as the executor knows no more than this
    MemoryContext memory; // null until rows are asked for
    pass keys;
    int dimension_count;
    dimension *dimensions;
    pg::page_rows rows; // of the driving relation's page
    partners *found[pg::most_page_rows];
    int hit, hits; // the next of them, and how many
};

key_join *of(CustomScanState *node) {
    return reinterpret_cast<key_join *>(node);
}

void begin(CustomScanState *node, EState *, int) {
    key_join *self = of(node);
    const CustomScan *plan = castNode(CustomScan, node->ss.ps.plan);
    const layout &join = scan_layout(plan);
    self->keys.scan = node;
    self->keys.relations = static_cast<relation *>(::palloc0(sizeof(relation) * most_members));
    self->dimensions = static_cast<dimension *>(::palloc0(sizeof(dimension) * most_members));
    for (int i = 0; i < join.count; i++) {
        const member &part = join.members[i];
        List *filter = static_cast<List *>(list_nth(plan->custom_exprs, i));
        if (part.what == duty::look_up)
            open_dimension(self->dimensions[self->dimension_count++], part, node, filter);
        else
            open_relation(self->keys.relations[self->keys.count++], part, node, filter);
    }
}

void start(key_join *self) {
    self->memory = AllocSetContextCreate(self->base.ss.ps.state->es_query_cxt, "etl key join", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext before = ::MemoryContextSwitchTo(self->memory);
    for (int i = 0; i < self->dimension_count; i++)
        start_looking_up(self->dimensions[i], &self->base, self->memory);
    self->keys.gathered = create_keyed_rows(self->memory);
    self->hit = self->hits = 0;
    start_passes(self->keys);
    ::MemoryContextSwitchTo(before);
}

// Walks over pages make bitmaps that live until their end.
bool next_page_of_hits(key_join *self) {
    for (int i = 0; i < self->dimension_count; i++)
        keep_within_memory(self->dimensions[i]);
    ResetExprContext(self->base.ss.ps.ps_ExprContext);
    const MemoryContext before = ::MemoryContextSwitchTo(self->memory);
    self->hits = next_hits(self->keys, self->rows, self->found);
    ::MemoryContextSwitchTo(before);
    self->hit = 0;
    return self->hits > 0;
}

// What the next row reads is on its way to the cache while this one is at work.
void prefetch_hit(const key_join *self, int hit) {
    constexpr std::uint32_t line = 64, most = 2048;
    const int number = self->keys.keys.number[hit];
    const char *row = reinterpret_cast<const char *>(self->rows[number]);
    for (std::uint32_t at = 0; at < std::min(self->rows.length(number), most); at += line)
        __builtin_prefetch(row + at);
    for (int i = 0; i < self->keys.count - 1; i++)
        if (const char *kept = reinterpret_cast<const char *>(self->found[hit]->rows[i])) {
            __builtin_prefetch(kept);
            __builtin_prefetch(kept + line);
        }
}

bool join_hit(key_join *self, int hit) {
    TupleTableSlot *joined = self->base.ss.ss_ScanTupleSlot;
    const pass &keys = self->keys;
    relation &drive = keys.relations[keys.count - 1];
    const int number = keys.keys.number[hit];
    set_row(drive, self->rows[number], self->rows.length(number));
    if (!passes(drive, &self->base))
        return false;
    fill(drive, joined);
    for (int i = 0; i < keys.count - 1; i++) {
        const HeapTupleHeader kept = self->found[hit]->rows[i];
        if (kept) {
            set_row(keys.relations[i], kept, HeapTupleHeaderGetDatumLength(kept));
            fill(keys.relations[i], joined);
        } else {
            fill_null(keys.relations[i], joined);
        }
    }
    for (int i = 0; i < self->dimension_count; i++)
        if (!look_up(self->dimensions[i], &self->base))
            return false;
    return true;
}

TupleTableSlot *next_row(ScanState *node) {
    key_join *self = reinterpret_cast<key_join *>(node);
    TupleTableSlot *joined = ::ExecClearTuple(node->ss_ScanTupleSlot);
    // Filters read it while it is being filled.
    ::ExecStoreVirtualTuple(joined);
    if (!self->memory)
        start(self);
    do {
        while (self->hit < self->hits) {
            const int hit = self->hit++;
            if (self->hit < self->hits)
                prefetch_hit(self, self->hit);
            if (join_hit(self, hit))
                return joined;
        }
    } while (next_page_of_hits(self));
    return ::ExecClearTuple(joined);
}

bool is_still_right(ScanState *, TupleTableSlot *) {
    return true; // rows are never locked beneath it, so none is looked at again
}

TupleTableSlot *execute(CustomScanState *node) {
    return ::ExecScan(&node->ss, next_row, is_still_right);
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
    show(scan_layout(castNode(CustomScan, node->ss.ps.plan)), self->keys.passes, self->keys.most_memory, shown);
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

} // namespace

List *private_list(const layout &join) {
    bytea *bytes = static_cast<bytea *>(::palloc(VARHDRSZ + sizeof join));
    SET_VARSIZE(bytes, VARHDRSZ + sizeof join);
    memcpy(VARDATA(bytes), &join, sizeof join);
    return list_make1(::makeConst(BYTEAOID, -1, InvalidOid, -1, PointerGetDatum(bytes), false, false));
}

const layout &scan_layout(const CustomScan *plan) {
    const Const *bytes = castNode(Const, linitial(plan->custom_private));
    return *reinterpret_cast<const layout *>(VARDATA(DatumGetPointer(bytes->constvalue)));
}

const CustomScanMethods scan_methods{"EtlKeyJoin", create_state};

} // namespace etl::join
