// PG regime: merging what was added, folding anew what was removed.
#include "watch/apply.hpp"

#include "fold/emptied.hpp"
#include "watch/log_table.hpp"
#include "watch/removal.hpp"
#include "watch/state_table.hpp"

extern "C" {
#include "access/table.h"
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace etl::watch {

namespace {

[[noreturn]] void raise_conflict(std::int64_t lid) {
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to concurrent change of a price log"),
                    errdetail("Events of lid " INT64_FORMAT " have been committed since this transaction began.", lid),
                    errhint("The transaction might succeed if retried.")));
    pg_unreachable();
}

void tell(const price_target &target, state_table &table, const kernel::price_state &before,
          const kernel::price_state &after) {
    if (target.tell && !fold::same_last_price(table.prices(), before, after))
        target.tell(target.whom, before, after);
}

template <class T> T *allocate(std::size_t count) {
    return static_cast<T *>(::palloc_extended(sizeof(T) * count, MCXT_ALLOC_HUGE));
}

// What the transaction itself sees of these lids must be what is there, or its result would be of no one moment.
void require_same_view(Oid log, const std::int64_t *lids, std::size_t count, const kernel::price_state *now,
                       fold::wide_prices &prices) {
    if (!IsolationUsesXactSnapshot())
        return;
    kernel::price_state *seen = allocate<kernel::price_state>(count);
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    ::UpdateActiveSnapshotCommandId();
    (void)fold_lids(log, lids, count, ::GetActiveSnapshot(), seen, prices);
    ::PopActiveSnapshot();
    for (std::size_t i = 0; i < count; i++)
        if (!fold::same(prices, seen[i], now[i]))
            raise_conflict(lids[i]);
    ::pfree(seen);
}

// The second half of folding anew: all these rows are locked or ours.
std::int64_t replace_locked(const price_target &target, state_table &table, const std::int64_t *lids,
                            std::size_t count) {
    if (count == 0)
        return 0;
    ::CommandCounterIncrement();
    table.leave_index(); // partitions of the log may be locked
    kernel::price_state *now = allocate<kernel::price_state>(count);
    fold::wide_prices prices{CurrentMemoryContext, table.prices().format, 0};
    const Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
    const bool whole = fold_lids(target.log, lids, count, snapshot, now, prices);
    ::UnregisterSnapshot(snapshot);
    if (!whole)
        return -1;
    require_same_view(target.log, lids, count, now, prices);
    std::int64_t written = 0;
    std::int64_t *emptied = allocate<std::int64_t>(count);
    std::size_t empty = 0;
    for (std::size_t i = 0; i < count; i++) {
        kernel::price_state before;
        if (!table.lock(lids[i], before))
            elog(ERROR, "a locked row of price state \"%s\" is gone", RelationGetRelationName(table.relation()));
        if (!now[i].has_events) {
            table.delete_locked();
            emptied[empty++] = lids[i];
        } else if (!fold::same(table.prices(), before, now[i])) {
            table.write_locked(now[i]);
        } else {
            kernel::price_state seen;
            if (table.sees_older(lids[i], seen) && !fold::same(table.prices(), seen, now[i]))
                raise_conflict(lids[i]);
            continue;
        }
        written++;
        tell(target, table, before, now[i]);
    }
    queue_emptied(target.state, emptied, empty);
    ::pfree(now);
    ::pfree(emptied);
    return written;
}

// A row is left alone that needs no change. If the transaction sees an older one, that one must not need any either, or
// the transaction would see its own events in the log, and not in the price state. `removed` and `added` may be NULL.
void require_left_alone(state_table &table, std::int64_t lid, const kernel::price_state *removed,
                        const kernel::price_state *added) {
    kernel::price_state seen;
    if (!table.sees_older(lid, seen))
        return;
    if (!seen.has_events || (removed && fold::may_miss(table.prices(), seen, *removed)) ||
        (added && fold::merge(table.prices(), seen, *added)))
        raise_conflict(lid);
}

// True if the lid has to be folded anew: an event that was removed may have been an extreme. `added` may be NULL.
bool apply_removed(const price_target &target, state_table &table, const kernel::price_state &removed,
                   const kernel::price_state *added) {
    kernel::price_state before;
    if (!table.lock_or_make(removed.lid, before) || fold::may_miss(table.prices(), before, removed))
        return true;
    kernel::price_state after = fold::copy(table.prices(), before);
    if (added && fold::merge(table.prices(), after, *added)) {
        table.write_locked(after);
        tell(target, table, before, after);
    } else {
        require_left_alone(table, removed.lid, &removed, added);
    }
    return false;
}

void apply_added(const price_target &target, state_table &table, const kernel::price_state &added) {
    kernel::price_state before, after;
    if (table.merge(added, before, after))
        tell(target, table, before, after);
    else
        require_left_alone(table, added.lid, nullptr, &added);
}

// Lid by lid, through both. Those to be folded anew are put to `anew`; returns how many.
std::size_t apply_all(const price_target &target, state_table &table, sorted_states added, sorted_states removed,
                      std::int64_t *anew) {
    std::size_t count = 0;
    while (added.next != added.end || removed.next != removed.end) {
        CHECK_FOR_INTERRUPTS();
        if (removed.next == removed.end || (added.next != added.end && added.next->lid < removed.next->lid)) {
            apply_added(target, table, *added.next++);
            continue;
        }
        const kernel::price_state &gone = *removed.next++;
        const bool has_both = added.next != added.end && added.next->lid == gone.lid;
        if (apply_removed(target, table, gone, has_both ? added.next++ : nullptr))
            anew[count++] = gone.lid;
    }
    return count;
}

} // namespace

bool apply(const price_target &target, const fold::event_coding &coding, gathered &events) {
    const sorted_states added = events.added(), removed = events.removed();
    if (added.next == added.end && removed.next == removed.end)
        return true;
    // What the statement wrote has to be seen, and what it deleted must not be.
    ::CommandCounterIncrement();
    state_table table;
    if (!table.open(target.state, coding))
        return false;
    std::int64_t *anew = allocate<std::int64_t>(static_cast<std::size_t>(removed.end - removed.next));
    const std::size_t count = apply_all(target, table, added, removed, anew);
    const bool done = replace_locked(target, table, anew, count) >= 0;
    table.close();
    ::pfree(anew);
    ::CommandCounterIncrement();
    return done;
}

std::int64_t refold(const price_target &target, const std::int64_t *lids, std::size_t count) {
    fold::row_layout layout;
    const Relation log = ::try_table_open(target.log, AccessShareLock);
    if (!log)
        return -1;
    const bool readable = fold::find_layout(RelationGetDescr(log), layout);
    ::table_close(log, NoLock);
    state_table table;
    if (!readable || !table.open(target.state, layout.coding))
        return -1;
    ::PushActiveSnapshot(::GetLatestSnapshot());
    ::CommandCounterIncrement();
    for (std::size_t i = 0; i < count; i++) {
        kernel::price_state before;
        (void)table.lock_or_make(lids[i], before);
    }
    const std::int64_t written = replace_locked(target, table, lids, count);
    ::PopActiveSnapshot();
    table.close();
    ::CommandCounterIncrement();
    return written;
}

bool clear(const price_target &target, const fold::event_coding &coding) {
    state_table table;
    if (!table.open(target.state, coding))
        return false;
    ::CommandCounterIncrement();
    table.delete_all();
    table.close();
    fold::record_all_emptied(target.state);
    ::CommandCounterIncrement();
    return true;
}

} // namespace etl::watch
