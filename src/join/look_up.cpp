// PG regime: may ereport, so no local here needs a destructor.
#include "join/look_up.hpp"

#include "settings.hpp"

extern "C" {
#include "access/stratnum.h"
#include "access/tableam.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
}

namespace etl::join {

namespace {

// False where the type has no such value.
bool key_as(std::int64_t key, Oid type, Datum &value) {
    value = type == INT8OID   ? Int64GetDatum(key)
            : type == INT4OID ? Int32GetDatum(static_cast<std::int32_t>(key))
                              : Int16GetDatum(static_cast<std::int16_t>(key));
    return key_of(value, type) == key;
}

// What stands for a key that has no row.
HeapTupleHeaderData no_row;

HeapTupleHeader keep(dimension &self, std::int64_t key, const HeapTupleHeaderData *row, std::uint32_t length) {
    const HeapTupleHeader kept = row ? keep_row(self.known, row, length) : &no_row;
    add(self.known, key, kept);
    return kept;
}

HeapTupleHeader search(dimension &self, CustomScanState *scan, std::int64_t key) {
    HeapTupleHeader found = nullptr;
    if (key_as(key, self.table.part->key_type, self.key.sk_argument)) {
        ::index_rescan(self.search, &self.key, 1, nullptr, 0);
        if (::index_getnext_slot(self.search, ForwardScanDirection, self.fetched)) {
            bool is_copy;
            const HeapTuple row = ::ExecFetchSlotHeapTuple(self.fetched, false, &is_copy);
            if (passes(self.table, row->t_data, scan))
                found = keep(self, key, row->t_data, row->t_len);
            ::ExecClearTuple(self.fetched);
        }
    }
    return found ? found : keep(self, key, nullptr, 0);
}

bool is_over_limit(const dimension &self) {
    return memory_of(self.known) > static_cast<std::size_t>(join_memory) * 1024;
}

void forget(dimension &self) {
    reset(self.known);
    self.knows_all = false;
}

void learn_all(dimension &self, CustomScanState *scan) {
    relation &table = self.table;
    page_walk walk;
    begin_walk(walk, table, PG_INT64_MIN, PG_INT64_MAX, true, scan->ss.ps.state->es_snapshot);
    page_keys *keys = static_cast<page_keys *>(::palloc(sizeof(page_keys)));
    pg::page_rows rows;
    self.knows_all = true;
    while (self.knows_all && next_page(walk, rows)) {
        read_keys(table, rows, PG_INT64_MIN, PG_INT64_MAX, *keys);
        for (int i = 0; i < keys->count; i++) {
            const HeapTupleHeader row = rows[keys->number[i]];
            const std::uint32_t length = rows.length(keys->number[i]);
            if (passes(table, row, scan))
                keep(self, keys->key[i], row, length);
            ResetExprContext(scan->ss.ps.ps_ExprContext);
        }
        if (is_over_limit(self))
            forget(self);
    }
    ::pfree(keys);
    end_walk(walk);
}

} // namespace

void open_dimension(dimension &opened, const member &part, CustomScanState *scan, List *filter) {
    open_relation(opened.table, part, scan, filter);
    opened.fetched =
        ::ExecInitExtraTupleSlot(scan->ss.ps.state, opened.table.rows, ::table_slot_callbacks(opened.table.heap));
    ListCell *cell;
    foreach (cell, castNode(CustomScan, scan->ss.ps.plan)->custom_scan_tlist) {
        const TargetEntry *entry = static_cast<const TargetEntry *>(lfirst(cell));
        const Var *var = castNode(Var, entry->expr);
        if (static_cast<Index>(var->varno) == part.led_by && var->varattno == part.led_by_column)
            opened.led_by = entry->resno - 1;
    }
}

void start_looking_up(dimension &self, CustomScanState *scan, MemoryContext memory) {
    const Oid type = self.table.part->key_type;
    const Oid equal = ::get_opfamily_member(INTEGER_BTREE_FAM_OID, type, type, BTEqualStrategyNumber);
    ::ScanKeyInit(&self.key, 1, BTEqualStrategyNumber, ::get_opcode(equal), static_cast<Datum>(0));
    self.index = ::index_open(self.table.part->index, AccessShareLock);
    self.search = ::index_beginscan(self.table.heap, self.index, scan->ss.ps.state->es_snapshot, 1, 0);
    self.known = create_keyed_rows(memory);
    self.knows_all = false;
    if (self.table.part->whole)
        learn_all(self, scan);
}

void prefetch_rows(const dimension &self, const hits &batch, const pass &keys) {
    constexpr std::uint32_t line = 64;
    const relation &leader = keys.relations[self.leader];
    const bool drives = self.leader == keys.count - 1;
    std::int64_t found[most_hits];
    int count = 0;
    for (int i = 0; i < batch.count; i++) {
        const hit &one = batch.list[i];
        const HeapTupleHeader row = drives ? one.row : one.found->rows[self.leader];
        const std::uint32_t length = drives ? one.length : row ? HeapTupleHeaderGetDatumLength(row) : 0;
        if (row && read_integer(leader, row, length, self.table.part->led_by_column, self.table.part->led_by_type,
                                found[count]))
            self.known.map.prefetch(found[count++]);
    }
    for (int i = 0; i < count; i++)
        if (const char *row = static_cast<const char *>(self.known.map.find(found[i]))) {
            __builtin_prefetch(row);
            __builtin_prefetch(row + line);
            __builtin_prefetch(row + 2 * line);
        }
}

bool look_up(dimension &self, CustomScanState *scan) {
    TupleTableSlot *joined = scan->ss.ss_ScanTupleSlot;
    HeapTupleHeader found = nullptr;
    if (!joined->tts_isnull[self.led_by]) {
        const std::int64_t key = key_of(joined->tts_values[self.led_by], self.table.part->led_by_type);
        found = static_cast<HeapTupleHeader>(self.known.map.find(key));
        if (!found && !self.knows_all)
            found = search(self, scan, key);
    }
    if (!found || found == &no_row) {
        fill_null(self.table, joined);
        return self.table.part->optional;
    }
    fill(self.table, found, joined);
    return true;
}

void keep_within_memory(dimension &self) {
    if (is_over_limit(self))
        forget(self);
}

void stop_looking_up(dimension &self) {
    ::index_endscan(self.search);
    ::index_close(self.index, NoLock);
    ::ExecClearTuple(self.fetched);
}

} // namespace etl::join
