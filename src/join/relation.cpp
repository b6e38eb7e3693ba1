// PG regime: may ereport, so no local here needs a destructor.
#include "join/relation.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
}

namespace etl::join {

namespace {

void add_column(columns &some, AttrNumber from, int to) {
    some.list[some.count++] = {from, to};
}

columns no_columns(int room) {
    return {0, static_cast<column *>(::palloc(sizeof(column) * static_cast<std::size_t>(room))), {}};
}

} // namespace

void open_relation(relation &opened, const member &part, CustomScanState *scan, List *filter) {
    EState *state = scan->ss.ps.state;
    opened.part = &part;
    opened.heap = ::ExecGetRangeTableRelation(state, part.relation);
    opened.rows = RelationGetDescr(opened.heap);
    opened.filter = ::ExecInitQual(filter, &scan->ss.ps);

    const List *joined = castNode(CustomScan, scan->ss.ps.plan)->custom_scan_tlist;
    opened.needed = no_columns(list_length(joined));
    opened.filtered = no_columns(list_length(joined));
    List *read = ::pull_var_clause(reinterpret_cast<Node *>(filter), 0);
    ListCell *cell;
    foreach (cell, joined) {
        const TargetEntry *entry = static_cast<const TargetEntry *>(lfirst(cell));
        const Var *var = castNode(Var, entry->expr);
        if (static_cast<Index>(var->varno) != part.relation)
            continue;
        add_column(opened.needed, var->varattno, entry->resno - 1);
        ListCell *other;
        foreach (other, read)
            if (static_cast<const Var *>(lfirst(other))->varattno == entry->resno) {
                add_column(opened.filtered, var->varattno, entry->resno - 1);
                break;
            }
    }
    for (columns *some : {&opened.needed, &opened.filtered})
        some->plan = plan_taking_apart(opened.rows, some->list, some->count);
}

std::int64_t key_of(Datum value, Oid type) {
    return type == INT8OID ? DatumGetInt64(value) : type == INT4OID ? DatumGetInt32(value) : DatumGetInt16(value);
}

bool read_integer(const relation &self, HeapTupleHeader row, std::uint32_t length, AttrNumber column, Oid type,
                  std::int64_t &value) {
    HeapTupleData tuple;
    tuple.t_data = row;
    tuple.t_len = length;
    tuple.t_tableOid = RelationGetRelid(self.heap);
    ItemPointerSetInvalid(&tuple.t_self);
    bool is_null;
    const Datum attribute = heap_getattr(&tuple, column, self.rows, &is_null);
    if (!is_null)
        value = key_of(attribute, type);
    return !is_null;
}

bool passes(const relation &self, HeapTupleHeader row, CustomScanState *scan) {
    if (!self.filter)
        return true;
    take_apart(self.filtered.plan, row, scan->ss.ss_ScanTupleSlot->tts_values, scan->ss.ss_ScanTupleSlot->tts_isnull);
    ExprContext *context = scan->ss.ps.ps_ExprContext;
    context->ecxt_scantuple = scan->ss.ss_ScanTupleSlot;
    return ExecQual(self.filter, context);
}

void fill(const relation &self, HeapTupleHeader row, TupleTableSlot *joined) {
    take_apart(self.needed.plan, row, joined->tts_values, joined->tts_isnull);
}

void fill_null(const relation &self, TupleTableSlot *joined) {
    for (int i = 0; i < self.needed.count; i++) {
        joined->tts_values[self.needed.list[i].to] = static_cast<Datum>(0);
        joined->tts_isnull[self.needed.list[i].to] = true;
    }
}

void read_keys(const relation &self, const pg::page_rows &rows, std::int64_t low, std::int64_t high, page_keys &keys) {
    keys.count = 0;
    const AttrNumber key = self.part->key;
    const Oid type = self.part->key_type;
    for (int i = 0; i < rows.count; i++) {
        rows.ask_ahead(i);
        const HeapTupleHeader row = rows[i];
        std::int64_t value;
        // The first column, as a key usually is, stands at the start of the data.
        if (key == 1 && type == INT8OID && HeapTupleHeaderGetNatts(row) > 0 &&
            (!(row->t_infomask & HEAP_HASNULL) || !att_isnull(0, row->t_bits))) {
            memcpy(&value, reinterpret_cast<const char *>(row) + row->t_hoff, sizeof value);
        } else if (!read_integer(self, row, rows.length(i), key, type, value)) {
            continue;
        }
        if (value < low || value > high)
            continue;
        keys.number[keys.count] = i;
        keys.key[keys.count++] = value;
    }
}

void begin_walk(page_walk &walk, const relation &self, std::int64_t low, std::int64_t high, bool whole,
                Snapshot snapshot) {
    pg::begin_pages(walk.pages, self.heap, snapshot);
    if (whole)
        pg::count_as_scan(walk.pages);
    walk.found = whole ? nullptr : pg::begin_index_pages(self.part->index, low, high, snapshot);
    walk.next = 0;
}

void begin_walk(page_walk &walk, const relation &self, const pg::key_list &keys, Snapshot snapshot) {
    pg::begin_pages(walk.pages, self.heap, snapshot);
    walk.found = pg::begin_index_pages(self.part->index, keys, snapshot);
    walk.next = 0;
}

bool next_page(page_walk &walk, pg::page_rows &rows) {
    CHECK_FOR_INTERRUPTS();
    BlockNumber page;
    do {
        page = walk.found ? pg::next_index_page(walk.found) : walk.next++;
        if (page == InvalidBlockNumber || (!walk.found && page >= walk.pages.count))
            return false;
    } while (page >= walk.pages.count);
    rows = walk.found ? pg::read_found_rows(walk.pages, walk.found) : pg::read_page(walk.pages, page);
    return true;
}

void end_walk(page_walk &walk) {
    if (walk.found)
        pg::end_index_pages(walk.found);
    pg::end_pages(walk.pages);
}

} // namespace etl::join
