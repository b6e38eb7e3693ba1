// PG regime: merging what was added, folding anew what was removed.
#include "watch/apply.hpp"

#include "watch/log_table.hpp"
#include "watch/removal.hpp"

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

void tell(const price_target &target, std::int64_t lid, const folded &before, const folded &after) {
    if (target.tell) {
        const change what{lid, before, after};
        target.tell(target.whom, what);
    }
}

// What the transaction itself sees of these lids must be what is there, or its result would be of no one moment.
void require_same_view(Oid log, const std::int64_t *lids, std::size_t count, const folded *now) {
    if (!IsolationUsesXactSnapshot())
        return;
    folded *seen = static_cast<folded *>(::palloc_extended(sizeof(folded) * count, MCXT_ALLOC_HUGE));
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    ::UpdateActiveSnapshotCommandId();
    (void)fold_lids(log, lids, count, ::GetActiveSnapshot(), seen);
    ::PopActiveSnapshot();
    for (std::size_t i = 0; i < count; i++)
        if (!seen[i].same(now[i]))
            raise_conflict(lids[i]);
    ::pfree(seen);
}

// The second half of folding anew: all these rows are locked or ours.
std::int64_t replace_locked(const price_target &target, state_table &table, const std::int64_t *lids,
                            std::size_t count) {
    if (count == 0)
        return 0;
    ::CommandCounterIncrement();
    folded *now = static_cast<folded *>(::palloc_extended(sizeof(folded) * count, MCXT_ALLOC_HUGE));
    const Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
    const bool whole = fold_lids(target.log, lids, count, snapshot, now);
    ::UnregisterSnapshot(snapshot);
    if (!whole)
        return -1;
    require_same_view(target.log, lids, count, now);
    std::int64_t written = 0;
    std::int64_t *emptied =
        static_cast<std::int64_t *>(::palloc_extended(sizeof(std::int64_t) * count, MCXT_ALLOC_HUGE));
    std::size_t empty = 0;
    for (std::size_t i = 0; i < count; i++) {
        folded before;
        if (!table.lock(lids[i], before))
            elog(ERROR, "a locked row of price state \"%s\" is gone", RelationGetRelationName(table.relation()));
        if (!now[i].any) {
            table.delete_locked();
            emptied[empty++] = lids[i];
        } else if (!before.same(now[i])) {
            table.write_locked(now[i]);
        } else {
            continue;
        }
        written++;
        tell(target, lids[i], before, now[i]);
    }
    queue_emptied(target.state, emptied, empty);
    ::pfree(now);
    ::pfree(emptied);
    return written;
}

// One entry; true if its lid has to be folded anew.
bool apply_entry(const price_target &target, state_table &table, const entry &one) {
    folded before, after;
    if (one.removed) {
        if (!table.lock_or_make(one.lid, before) || before.may_miss(*one.removed))
            return true;
        after = before;
        if (after.merge(one.added)) {
            table.write_locked(after);
            tell(target, one.lid, before, after);
        }
        return false;
    }
    if (table.merge(one.lid, one.added, before, after))
        tell(target, one.lid, before, after);
    return false;
}

} // namespace

bool apply(const price_target &target, const log_shape &shape, gathered &events) {
    if (events.size() == 0)
        return true;
    // What the statement wrote has to be seen, and what it deleted must not be.
    ::CommandCounterIncrement();
    state_table table;
    if (!table.open(target.state, shape.prices, shape.days))
        return false;
    const entry *entries = events.sort();
    std::int64_t *anew = nullptr;
    std::size_t count = 0;
    for (std::size_t i = 0; i < events.size(); i++) {
        CHECK_FOR_INTERRUPTS();
        if (!apply_entry(target, table, entries[i]))
            continue;
        if (!anew)
            anew = static_cast<std::int64_t *>(
                ::palloc_extended(sizeof(std::int64_t) * (events.size() - i), MCXT_ALLOC_HUGE));
        anew[count++] = entries[i].lid;
    }
    const bool done = replace_locked(target, table, anew, count) >= 0;
    table.close();
    ::CommandCounterIncrement();
    return done;
}

std::int64_t refold(const price_target &target, const std::int64_t *lids, std::size_t count) {
    log_shape shape;
    const Relation log = ::try_table_open(target.log, AccessShareLock);
    if (!log)
        return -1;
    const bool readable = read_shape(RelationGetDescr(log), shape);
    ::table_close(log, NoLock);
    state_table table;
    if (!readable || !table.open(target.state, shape.prices, shape.days))
        return -1;
    ::PushActiveSnapshot(::GetLatestSnapshot());
    ::CommandCounterIncrement();
    for (std::size_t i = 0; i < count; i++) {
        folded before;
        (void)table.lock_or_make(lids[i], before);
    }
    const std::int64_t written = replace_locked(target, table, lids, count);
    ::PopActiveSnapshot();
    table.close();
    ::CommandCounterIncrement();
    return written;
}

bool clear(const price_target &target, const log_shape &shape) {
    state_table table;
    if (!table.open(target.state, shape.prices, shape.days))
        return false;
    ::CommandCounterIncrement();
    (void)table.delete_all();
    table.close();
    ::CommandCounterIncrement();
    return true;
}

} // namespace etl::watch
