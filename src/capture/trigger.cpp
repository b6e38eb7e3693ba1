// PG regime: the trigger on sources.
#include "capture/queue.hpp"
#include "pg/function.hpp"
#include "watch/gather.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "replication/logicalworker.h"
#include "utils/rel.h"
}

namespace etl::capture {

namespace {

// What one firing of the trigger works with.
struct firing {
    const TriggerData *data;
    const watch::registration *known;
    changed_keys lids, accounts;
};

void refuse(const char *why, const char *hint) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function etl.capture_changes() %s", why), hint ? errhint("%s", hint) : 0));
}

const char *name_of(const TriggerData *data) {
    return RelationGetRelationName(data->tg_relation);
}

void take_key(changed_keys &keys, watch::key_column column, HeapTuple row, TupleDesc columns) {
    if (!keys.wanted() || !column.number)
        return;
    bool is_null = false;
    const Datum key = heap_getattr(row, column.number, columns, &is_null);
    if (is_null)
        return;
    switch (column.type) {
    case INT2OID:
        keys.add(DatumGetInt16(key));
        break;
    case INT4OID:
        keys.add(DatumGetInt32(key));
        break;
    default:
        keys.add(DatumGetInt64(key));
    }
}

void take(firing &now, HeapTuple row) {
    const TupleDesc columns = RelationGetDescr(now.data->tg_relation);
    take_key(now.lids, now.known->lid, row, columns);
    take_key(now.accounts, now.known->account, row, columns);
}

// Rows of a transition table, one by one; the tuple lasts until the next one is read.
class changed_rows {
public:
    changed_rows(Tuplestorestate *store, TupleTableSlot *slot) : rows_(store, slot), tuple_() {}
    HeapTuple next(const TupleTableSlot *slot) {
        if (!rows_.next(tuple_.t_data))
            return nullptr;
        tuple_.t_len = reinterpret_cast<const MinimalTupleTableSlot *>(slot)->minhdr.t_len;
        return &tuple_;
    }

private:
    watch::transition rows_;
    HeapTupleData tuple_;
};

// Byte by byte; that equal rows may count as different is right as well, and slower.
bool same(HeapTuple a, HeapTuple b) {
    const HeapTupleHeader x = a->t_data, y = b->t_data;
    return a->t_len == b->t_len && x->t_hoff == y->t_hoff && HeapTupleHeaderGetNatts(x) == HeapTupleHeaderGetNatts(y) &&
           (x->t_infomask & HEAP_HASNULL) == (y->t_infomask & HEAP_HASNULL) &&
           memcmp(x->t_bits, y->t_bits, a->t_len - SizeofHeapTupleHeader) == 0;
}

// Old and new rows come in the same order. A pair of equal ones changes nothing. Where the order differs, the pairs
// differ, and both are queued.
void take_updated(firing &now, changed_rows &before, changed_rows &after, TupleTableSlot *old_slot,
                  TupleTableSlot *new_slot) {
    for (;;) {
        const HeapTuple old_row = before.next(old_slot), new_row = after.next(new_slot);
        if (!old_row && !new_row)
            return;
        if (old_row && new_row && same(old_row, new_row))
            continue;
        if (old_row)
            take(now, old_row);
        if (new_row)
            take(now, new_row);
    }
}

TupleTableSlot *make_slot(const firing &now) {
    return ::MakeSingleTupleTableSlot(RelationGetDescr(now.data->tg_relation), &TTSOpsMinimalTuple);
}

void take_all(firing &now, Tuplestorestate *store) {
    TupleTableSlot *slot = make_slot(now);
    changed_rows rows(store, slot);
    while (const HeapTuple row = rows.next(slot))
        take(now, row);
    ::ExecDropSingleTupleTableSlot(slot);
}

void capture_statement(firing &now) {
    const TriggerEvent event = now.data->tg_event;
    const bool has_old = !TRIGGER_FIRED_BY_INSERT(event), has_new = !TRIGGER_FIRED_BY_DELETE(event);
    if ((has_old && !now.data->tg_oldtable) || (has_new && !now.data->tg_newtable))
        refuse("needs transition tables", "Let etl_watch_sources() make the triggers.");
    if (!has_old || !has_new) {
        take_all(now, has_old ? now.data->tg_oldtable : now.data->tg_newtable);
        return;
    }
    TupleTableSlot *old_slot = make_slot(now), *new_slot = make_slot(now);
    changed_rows before(now.data->tg_oldtable, old_slot), after(now.data->tg_newtable, new_slot);
    take_updated(now, before, after, old_slot, new_slot);
    ::ExecDropSingleTupleTableSlot(old_slot);
    ::ExecDropSingleTupleTableSlot(new_slot);
}

// Rows that logical replication applies, for which statement triggers do not fire.
void capture_row(firing &now) {
    take(now, ::ExecFetchSlotHeapTuple(now.data->tg_trigslot, false, nullptr));
    if (TRIGGER_FIRED_BY_UPDATE(now.data->tg_event))
        take(now, ::ExecFetchSlotHeapTuple(now.data->tg_newslot, false, nullptr));
}

void fire(const TriggerData *data) {
    if (!TRIGGER_FIRED_AFTER(data->tg_event))
        refuse("must be fired AFTER the event", "Let etl_watch_sources() make the triggers.");
    const watch::registration known = *watch::find_registration(data->tg_relation);
    // In a copy of which the triggers are restored, but not what is watched, writers are not to be stopped.
    if (known.source_count == 0) {
        ereport(WARNING, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                          errmsg("table \"%s\" is not a source of a watched make", name_of(data)),
                          errhint("Drop trigger \"%s\" on it; etl_watch_sources() makes the triggers it needs.",
                                  data->tg_trigger->tgname)));
        return;
    }
    firing now{data, &known, {known, false}, {known, true}};
    const bool lacks_key = (now.lids.wanted() && !known.lid.number) || (now.accounts.wanted() && !known.account.number);
    const bool is_truncated = TRIGGER_FIRED_BY_TRUNCATE(data->tg_event);
    if (lacks_key || is_truncated)
        for (int i = 0; i < known.source_count; i++)
            watch::record_gap(known.sources[i].source,
                              psprintf(is_truncated ? "%s was truncated" : "%s has other columns than it had",
                                       name_of(data)));
    if (is_truncated)
        return;
    if (TRIGGER_FIRED_FOR_ROW(data->tg_event))
        capture_row(now);
    else
        capture_statement(now);
    now.lids.write();
    now.accounts.write();
}

} // namespace

} // namespace etl::capture

ETL_FUNCTION(etl_capture_changes) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        etl::capture::refuse("must be called as a trigger", nullptr);
    const auto *data = reinterpret_cast<const TriggerData *>(fcinfo->context);
    // The row trigger is for logical replication alone: where it fires otherwise, statement triggers do as well.
    if (TRIGGER_FIRED_FOR_ROW(data->tg_event) && !::IsLogicalWorker())
        return PointerGetDatum(nullptr);
    etl::capture::fire(data);
    return PointerGetDatum(nullptr);
}
