// PG regime: rows of a price state, by direct access to table and index.
#include "watch/state_table.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::watch {

namespace {

[[noreturn]] void raise_conflict(Relation table, std::int64_t lid) {
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to concurrent change of a price state"),
                    errdetail("Row of lid " INT64_FORMAT " in table \"%s\".", lid, RelationGetRelationName(table)),
                    errhint("The transaction might succeed if retried.")));
    pg_unreachable();
}

[[noreturn]] void raise_failure(Relation table, const char *what, TM_Result result) {
    elog(ERROR, "could not %s a row of price state \"%s\": %d", what, RelationGetRelationName(table),
         static_cast<int>(result));
    pg_unreachable();
}

} // namespace

bool state_table::open(Oid table, const fold::event_coding &coding) {
    if (!open_access(table, coding, access_))
        return false;
    search_.open(access_);
    fresh_ = ::MakeSingleTupleTableSlot(RelationGetDescr(access_.relation), &TTSOpsVirtual);
    modified_ = ::GetCurrentTransactionStartTimestamp();
    prices_ = {AllocSetContextCreate(CurrentMemoryContext, "pg_etl wide prices", ALLOCSET_SMALL_SIZES), coding.format,
               0};
    return true;
}

void state_table::close() {
    ::MemoryContextDelete(prices_.context);
    ::ExecDropSingleTupleTableSlot(fresh_);
    search_.close();
    close_access(access_);
}

bool state_table::find(std::int64_t lid) {
    if (prices_.bytes > 0) {
        ::MemoryContextReset(prices_.context);
        prices_.bytes = 0;
    }
    return search_.find(lid);
}

bool state_table::lock_found() {
    TM_FailureData failure;
    ItemPointerData place = search_.slot()->tts_tid;
    search_.leave_if_busy();
    const TM_Result result = ::table_tuple_lock(access_.relation, &place, ::GetActiveSnapshot(), search_.slot(),
                                                ::GetCurrentCommandId(false), LockTupleNoKeyExclusive, LockWaitBlock,
                                                TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
    if (result == TM_Ok)
        return true;
    if (result != TM_Deleted && result != TM_Updated)
        raise_failure(access_.relation, "lock", result);
    return false; // look again: there may be a new row
}

void state_table::read_found(kernel::price_state &now) {
    now = fold::read_state(access_.columns, search_.slot(), prices_);
}

// Inserts as INSERT ... ON CONFLICT does. False if somebody was faster. A transaction that sees one state of the
// database all along must not put a row beside one that it still sees.
bool state_table::make(const kernel::price_state &now) {
    if (IsolationUsesXactSnapshot() && search_.find_in_snapshot(now.lid))
        raise_conflict(access_.relation, now.lid);
    fold::store_state(access_.columns, fresh_, now, fresh_prices_, modified_);
    open_executor(access_);
    // Entering another key that is unique may wait for whoever has it.
    if (access_.target->ri_NumIndices > 1)
        search_.leave();
    bool conflict = false;
    const std::uint32_t token = ::SpeculativeInsertionLockAcquire(::GetCurrentTransactionId());
    ::table_tuple_insert_speculative(access_.relation, fresh_, ::GetCurrentCommandId(true), 0, nullptr, token);
    ::list_free(
        ::ExecInsertIndexTuples(access_.target, fresh_, access_.executor, false, true, &conflict, access_.arbiters));
    ::table_tuple_complete_speculative(access_.relation, fresh_, token, !conflict);
    ::SpeculativeInsertionLockRelease(::GetCurrentTransactionId());
    ResetPerTupleExprContext(access_.executor);
    return !conflict;
}

// Replaces the version that was found. False if it is no longer the newest.
bool state_table::update_found(const kernel::price_state &now) {
    require_seen(now.lid);
    ::CheckCmdReplicaIdentity(access_.relation, CMD_UPDATE);
    ItemPointerData place = search_.slot()->tts_tid;
    fold::store_state(access_.columns, fresh_, now, fresh_prices_, modified_);
    search_.leave_if_busy();
    TM_FailureData failure;
    LockTupleMode mode;
    bool update_indexes = false;
    const TM_Result result =
        ::table_tuple_update(access_.relation, &place, fresh_, ::GetCurrentCommandId(true), ::GetActiveSnapshot(),
                             InvalidSnapshot, true, &failure, &mode, &update_indexes);
    if (result == TM_Updated || result == TM_Deleted) {
        if (IsolationUsesXactSnapshot())
            raise_conflict(access_.relation, now.lid);
        return false;
    }
    if (result != TM_Ok)
        raise_failure(access_.relation, "update", result);
    if (update_indexes) {
        open_executor(access_);
        search_.leave();
        ::list_free(::ExecInsertIndexTuples(access_.target, fresh_, access_.executor, true, false, nullptr, NIL));
        ResetPerTupleExprContext(access_.executor);
    }
    return true;
}

// Nor must such a transaction change what it can't see.
void state_table::require_seen(std::int64_t lid) {
    if (!is_seen())
        raise_conflict(access_.relation, lid);
}

bool state_table::is_seen() {
    return !IsolationUsesXactSnapshot() ||
           ::table_tuple_satisfies_snapshot(access_.relation, search_.slot(), ::GetTransactionSnapshot());
}

bool state_table::sees_older(std::int64_t lid, kernel::price_state &seen) {
    if (is_seen())
        return false;
    seen = {};
    seen.lid = lid;
    if (search_.find_in_snapshot(lid))
        read_found(seen);
    return true;
}

bool state_table::lock(std::int64_t lid, kernel::price_state &now) {
    do {
        if (!find(lid))
            return false;
    } while (!lock_found());
    read_found(now);
    return true;
}

bool state_table::lock_or_make(std::int64_t lid, kernel::price_state &now) {
    for (;;) {
        if (lock(lid, now))
            return true;
        now = {};
        now.lid = lid;
        if (make(now))
            return false;
    }
}

bool state_table::merge(const kernel::price_state &added, kernel::price_state &before, kernel::price_state &after) {
    for (;;) {
        if (!find(added.lid)) {
            before = {};
            after = added;
            if (make(added))
                return true;
            continue;
        }
        auto merge_found = [&] {
            read_found(before);
            after = fold::copy(prices_, before);
            return fold::merge(prices_, after, added);
        };
        // Most rows change: they are updated without being locked first, which fails if somebody was faster.
        if (!merge_found()) {
            if (!lock_found())
                continue;
            if (!merge_found())
                return false;
        }
        if (update_found(after))
            return true;
    }
}

void state_table::write_locked(const kernel::price_state &now) {
    if (!update_found(now))
        elog(ERROR, "a locked row of price state \"%s\" was changed", RelationGetRelationName(access_.relation));
}

void state_table::delete_locked() {
    bool is_null;
    require_seen(DatumGetInt64(::slot_getattr(search_.slot(), access_.columns.lid, &is_null)));
    ::CheckCmdReplicaIdentity(access_.relation, CMD_DELETE);
    ItemPointerData place = search_.slot()->tts_tid;
    TM_FailureData failure;
    const TM_Result result = ::table_tuple_delete(access_.relation, &place, ::GetCurrentCommandId(true),
                                                  ::GetActiveSnapshot(), InvalidSnapshot, true, &failure, false);
    if (result != TM_Ok)
        raise_failure(access_.relation, "delete", result);
}

void state_table::delete_all() {
    const Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
    TupleTableSlot *slot = ::table_slot_create(access_.relation, nullptr);
    const TableScanDesc rows = ::table_beginscan(access_.relation, snapshot, 0, nullptr);
    while (::table_scan_getnextslot(rows, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        kernel::price_state now;
        bool is_null = false;
        if (lock(DatumGetInt64(::slot_getattr(slot, access_.columns.lid, &is_null)), now))
            delete_locked();
    }
    ::table_endscan(rows);
    ::ExecDropSingleTupleTableSlot(slot);
    ::UnregisterSnapshot(snapshot);
}

} // namespace etl::watch
