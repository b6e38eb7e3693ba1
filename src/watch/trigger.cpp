// PG regime: the trigger on price logs.
#include "pg/function.hpp"
#include "watch/apply.hpp"
#include "watch/log_table.hpp"
#include "watch/nested.hpp"
#include "watch/news.hpp"
#include "watch/registration.hpp"

extern "C" {
#include "commands/trigger.h"
#include "replication/logicalworker.h"
#include "utils/rel.h"
}

namespace etl::watch {

namespace {

// What one firing of the trigger works with.
struct firing {
    const TriggerData *data;
    const registration *known;
    gathered *events;
};

void refuse(const char *why, const char *hint) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function etl.fold_price_events() %s", why), hint ? errhint("%s", hint) : 0));
}

const char *name_of(const TriggerData *data) {
    return RelationGetRelationName(data->tg_relation);
}

void flush(const firing &now) {
    now.events->end_pass();
    for (int i = 0; i < now.known->count; i++) {
        const watched_portal &portal = now.known->portals[i];
        if (!OidIsValid(portal.state_owner)) {
            record_gap(portal.name, "the price state is gone");
            continue;
        }
        news telling(portal.name, portal.channel, now.known->layout.coding);
        as_state_owner as_owner(portal.state_owner);
        const bool done = apply({portal.log, portal.state, telling.wanted() ? news::hear : nullptr, &telling},
                                now.known->layout.coding, *now.events);
        as_owner.end();
        if (!done)
            record_gap(portal.name, "price state or log can't be kept in step: it has triggers, rules, checks, row"
                                    " security, indexes over expressions, or other columns than it had");
        telling.send();
    }
}

void gather(const firing &now, Tuplestorestate *store, TupleTableSlot *slot,
            void (gathered::*take)(const fold::price_event &)) {
    transition rows(store, slot);
    HeapTupleHeader row;
    fold::price_event event;
    while (rows.next(row)) {
        if (fold::read_event(now.known->layout, row, event))
            (now.events->*take)(event);
    }
}

// Byte by byte where there are no codes; that equal numbers may count as different is right as well, and slower.
bool same(const fold::price_event &a, const fold::price_event &b) {
    if (a.lid != b.lid || a.day != b.day || a.price != b.price || !a.wide != !b.wide)
        return false;
    return !a.wide || (VARSIZE_ANY_EXHDR(a.wide) == VARSIZE_ANY_EXHDR(b.wide) &&
                       memcmp(VARDATA_ANY(a.wide), VARDATA_ANY(b.wide), VARSIZE_ANY_EXHDR(a.wide)) == 0);
}

// Old and new rows come in the same order. A pair that has the same event in both changes nothing, so an UPDATE of
// other columns costs no more than reading it. Where the order differs, the pairs differ, and both are counted.
void gather_update(const firing &now, TupleTableSlot *old_slot, TupleTableSlot *new_slot) {
    transition before(now.data->tg_oldtable, old_slot), after(now.data->tg_newtable, new_slot);
    HeapTupleHeader old_row, new_row;
    fold::price_event removed, added;
    for (;;) {
        const bool has_old = before.next(old_row), has_new = after.next(new_row);
        if (!has_old && !has_new)
            break;
        const bool has_removed = has_old && fold::read_event(now.known->layout, old_row, removed);
        const bool has_added = has_new && fold::read_event(now.known->layout, new_row, added);
        if (has_removed && has_added && same(removed, added))
            continue;
        if (has_removed)
            now.events->remove(removed);
        if (has_added)
            now.events->add(added);
    }
}

TupleTableSlot *make_slot(const firing &now) {
    return ::MakeSingleTupleTableSlot(RelationGetDescr(now.data->tg_relation), &TTSOpsMinimalTuple);
}

void fold_statement(const firing &now) {
    const TriggerEvent event = now.data->tg_event;
    const bool has_old = !TRIGGER_FIRED_BY_INSERT(event), has_new = !TRIGGER_FIRED_BY_DELETE(event);
    if ((has_old && !now.data->tg_oldtable) || (has_new && !now.data->tg_newtable))
        refuse("needs transition tables", "Let etl_watch_prices() make the triggers.");
    TupleTableSlot *old_slot = has_old ? make_slot(now) : nullptr, *new_slot = has_new ? make_slot(now) : nullptr;
    do {
        if (has_old && has_new)
            gather_update(now, old_slot, new_slot);
        else if (has_new)
            gather(now, now.data->tg_newtable, new_slot, &gathered::add);
        else
            gather(now, now.data->tg_oldtable, old_slot, &gathered::remove);
        // As if it were removed as well: its lid is folded anew if that may matter.
        if (has_new && was_overtaken())
            gather(now, now.data->tg_newtable, new_slot, &gathered::remove);
        if (has_old)
            note_removal();
        flush(now);
    } while (now.events->next_pass());
    if (has_old)
        ::ExecDropSingleTupleTableSlot(old_slot);
    if (has_new)
        ::ExecDropSingleTupleTableSlot(new_slot);
}

bool read_slot(const firing &now, TupleTableSlot *slot, fold::price_event &event) {
    const HeapTuple tuple = ::ExecFetchSlotHeapTuple(slot, false, nullptr);
    return fold::read_event(now.known->layout, tuple->t_data, event);
}

// Rows that logical replication applies, for which statement triggers do not fire.
void fold_row(const firing &now) {
    const TriggerEvent event = now.data->tg_event;
    fold::price_event found;
    if (!TRIGGER_FIRED_BY_INSERT(event) && read_slot(now, now.data->tg_trigslot, found))
        now.events->remove(found);
    if (TRIGGER_FIRED_BY_INSERT(event) && read_slot(now, now.data->tg_trigslot, found))
        now.events->add(found);
    if (TRIGGER_FIRED_BY_UPDATE(event) && read_slot(now, now.data->tg_newslot, found))
        now.events->add(found);
    flush(now);
}

void fold_truncate(const firing &now) {
    for (int i = 0; i < now.known->count; i++) {
        const watched_portal &portal = now.known->portals[i];
        bool done = false;
        if (OidIsValid(portal.state_owner) && log_is_empty(portal.log)) {
            as_state_owner as_owner(portal.state_owner);
            done = clear({portal.log, portal.state, nullptr, nullptr}, now.known->layout.coding);
            as_owner.end();
            // Whoever wrote to another partition meanwhile may have been at a row before it was cleared.
            done = done && log_is_empty(portal.log);
        }
        if (!done)
            record_gap(portal.name, psprintf("partition %s of the price log was truncated", name_of(now.data)));
    }
}

void fire(const TriggerData *data) {
    if (!TRIGGER_FIRED_AFTER(data->tg_event))
        refuse("must be fired AFTER the event", "Let etl_watch_prices() make the triggers.");
    const registration known = *find_registration(data->tg_relation);
    // In a copy of which the triggers are restored, but not what is watched, writers are not to be stopped.
    if (known.count == 0) {
        ereport(WARNING, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                          errmsg("table \"%s\" is not the price log of a watched portal", name_of(data)),
                          errhint("Drop trigger \"%s\" on it; etl_watch_prices() makes the triggers it needs.",
                                  data->tg_trigger->tgname)));
        return;
    }
    if (!known.is_log) {
        for (int i = 0; i < known.count; i++)
            record_gap(known.portals[i].name, "the price log has other columns than it had");
        return;
    }
    gathered events(CurrentMemoryContext, known.layout.coding);
    const firing now{data, &known, &events};
    if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
        fold_truncate(now);
    else if (TRIGGER_FIRED_FOR_ROW(data->tg_event))
        fold_row(now);
    else
        fold_statement(now);
}

} // namespace

} // namespace etl::watch

ETL_FUNCTION(etl_fold_price_events) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        etl::watch::refuse("must be called as a trigger", nullptr);
    const auto *data = reinterpret_cast<const TriggerData *>(fcinfo->context);
    // The row trigger is for logical replication alone: where it fires otherwise, statement triggers do as well.
    if (TRIGGER_FIRED_FOR_ROW(data->tg_event) && !::IsLogicalWorker())
        return PointerGetDatum(nullptr);
    // Memory is that of one call already.
    etl::watch::fire(data);
    return PointerGetDatum(nullptr);
}
