// PG regime: rows of a price state, by direct access to table and index.
#include "watch/state_table.hpp"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
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

AttrNumber column_of(Relation table, const char *name, Oid &type) {
    const TupleDesc columns = RelationGetDescr(table);
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (!column->attisdropped && !column->attgenerated && namestrcmp(&column->attname, name) == 0) {
            type = column->atttypid;
            return column->attnum;
        }
    }
    return InvalidAttrNumber;
}

EState *make_executor(Relation table) {
    EState *executor = ::CreateExecutorState();
    RangeTblEntry *entry = makeNode(RangeTblEntry);
    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(table);
    entry->relkind = table->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
    ::ExecInitRangeTable(executor, list_make1(entry));
    return executor;
}

} // namespace

bool state_table::prepare_columns(price_type prices, day_type days) {
    const struct {
        const char *name;
        AttrNumber &number;
        bool is_price;
    } wanted[] = {{"first_price", first_price_, true}, {"first_dt", first_day_, false},
                  {"last_price", last_price_, true},   {"last_dt", last_day_, false},
                  {"price_min", least_, true},         {"price_max", greatest_, true}};
    Oid type = InvalidOid;
    prices_ = prices;
    days_ = days;
    lid_ = column_of(relation_, "lid", type);
    if (!lid_ || type != INT8OID)
        return false;
    modified_ = column_of(relation_, "modified", type);
    if (!modified_ || type != TIMESTAMPTZOID)
        return false;
    for (const auto &column : wanted) {
        column.number = column_of(relation_, column.name, type);
        if (!column.number || (column.is_price ? price_type_of(type) != prices : day_type_of(type) != days))
            return false;
    }
    return true;
}

// Finds the unique index on lid; false where there is none, or an index that somebody's function computes.
bool state_table::prepare_index() {
    arbiters_ = NIL;
    ::ExecOpenIndices(target_, true);
    for (int i = 0; i < target_->ri_NumIndices; i++) {
        const Relation index = target_->ri_IndexRelationDescs[i];
        const IndexInfo *info = target_->ri_IndexRelationInfo[i];
        if (info->ii_Expressions != NIL || info->ii_Predicate != NIL || info->ii_ExclusionOps)
            return false;
        const Form_pg_index form = index->rd_index;
        if (index_ == nullptr && form->indisunique && form->indisvalid && form->indimmediate &&
            form->indnkeyatts == 1 && form->indkey.values[0] == lid_ && index->rd_rel->relam == BTREE_AM_OID &&
            index->rd_opfamily[0] == INTEGER_BTREE_FAM_OID) {
            index_ = index;
            arbiters_ = list_make1_oid(RelationGetRelid(index));
        }
    }
    return index_ != nullptr;
}

bool state_table::open(Oid table, price_type prices, day_type days) {
    index_ = nullptr;
    executor_ = nullptr;
    scan_ = nullptr;
    relation_ = ::try_table_open(table, RowExclusiveLock);
    if (!relation_)
        return false;
    const Form_pg_class form = relation_->rd_rel;
    if (form->relkind != RELKIND_RELATION || relation_->trigdesc || form->relhasrules || form->relhassubclass ||
        form->relispartition || !prepare_columns(prices, days)) {
        close();
        return false;
    }
    executor_ = make_executor(relation_);
    target_ = makeNode(ResultRelInfo);
    ::InitResultRelInfo(target_, relation_, 1, nullptr, 0);
    if (!prepare_index()) {
        close();
        return false;
    }
    found_ = ::table_slot_create(relation_, nullptr);
    fresh_ = ::MakeSingleTupleTableSlot(RelationGetDescr(relation_), &TTSOpsVirtual);
    InitDirtySnapshot(dirty_);
    scan_ = ::index_beginscan(relation_, index_, &dirty_, 1, 0);
    return true;
}

void state_table::close() {
    if (scan_) {
        ::index_endscan(scan_);
        ::ExecDropSingleTupleTableSlot(found_);
        ::ExecDropSingleTupleTableSlot(fresh_);
    }
    if (executor_) {
        ::ExecCloseIndices(target_);
        ::FreeExecutorState(executor_);
    }
    if (relation_)
        ::table_close(relation_, NoLock);
    relation_ = nullptr;
    executor_ = nullptr;
    scan_ = nullptr;
}

// The row as others see it who don't wait: committed, or changed or deleted by a transaction under way. One that is
// just being inserted is waited for.
bool state_table::find(std::int64_t lid) {
    ScanKeyData key;
    ::ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(lid));
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        ::index_rescan(scan_, &key, 1, nullptr, 0);
        if (!::index_getnext_slot(scan_, ForwardScanDirection, found_))
            return false;
        if (!TransactionIdIsValid(dirty_.xmin))
            return true;
        const TransactionId inserter = dirty_.xmin;
        const std::uint32_t token = dirty_.speculativeToken;
        ItemPointerData place = found_->tts_tid;
        ::ExecClearTuple(found_);
        if (token)
            ::SpeculativeInsertionWait(inserter, token);
        else
            ::XactLockTableWait(inserter, relation_, &place, XLTW_InsertIndex);
    }
}

bool state_table::lock_found() {
    TM_FailureData failure;
    ItemPointerData place = found_->tts_tid;
    const TM_Result result =
        ::table_tuple_lock(relation_, &place, ::GetActiveSnapshot(), found_, ::GetCurrentCommandId(false),
                           LockTupleNoKeyExclusive, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
    switch (result) {
    case TM_Ok:
        return true;
    case TM_Deleted:
    case TM_Updated:
        return false; // look again: there may be a new row
    default:
        elog(ERROR, "could not lock a row of price state \"%s\": %d", RelationGetRelationName(relation_),
             static_cast<int>(result));
    }
    pg_unreachable();
}

void state_table::read_found(folded &now) {
    slot_getallattrs(found_);
    auto is_null = [this](AttrNumber column) { return found_->tts_isnull[column - 1]; };
    auto amount = [this](AttrNumber column) { return read_price(prices_, found_->tts_values[column - 1]); };
    auto day = [this](AttrNumber column) {
        const Datum value = found_->tts_values[column - 1];
        return days_ == day_type::date ? static_cast<std::int64_t>(DatumGetDateADT(value)) : DatumGetTimestamp(value);
    };
    now.any = !(is_null(first_price_) || is_null(first_day_) || is_null(last_price_) || is_null(last_day_) ||
                is_null(least_) || is_null(greatest_));
    if (!now.any)
        return;
    now.first = {day(first_day_), amount(first_price_)};
    now.last = {day(last_day_), amount(last_price_)};
    now.least = amount(least_);
    now.greatest = amount(greatest_);
}

// Values are allocated in the executor's memory of one row.
TupleTableSlot *state_table::form(std::int64_t lid, const folded &now) {
    ResetPerTupleExprContext(executor_);
    const MemoryContext before = ::MemoryContextSwitchTo(GetPerTupleMemoryContext(executor_));
    ::ExecClearTuple(fresh_);
    auto set = [this](AttrNumber column, Datum value) {
        fresh_->tts_values[column - 1] = value;
        fresh_->tts_isnull[column - 1] = false;
    };
    auto set_day = [&](AttrNumber column, std::int64_t day) {
        set(column, days_ == day_type::date ? DateADTGetDatum(static_cast<DateADT>(day)) : TimestampGetDatum(day));
    };
    memset(fresh_->tts_isnull, true, static_cast<std::size_t>(RelationGetDescr(relation_)->natts));
    set(lid_, Int64GetDatum(lid));
    set(modified_, TimestampTzGetDatum(::GetCurrentTransactionStartTimestamp()));
    if (now.any) {
        set(first_price_, price_datum(prices_, now.first.amount));
        set_day(first_day_, now.first.day);
        set(last_price_, price_datum(prices_, now.last.amount));
        set_day(last_day_, now.last.day);
        set(least_, price_datum(prices_, now.least));
        set(greatest_, price_datum(prices_, now.greatest));
    }
    ::ExecStoreVirtualTuple(fresh_);
    ::MemoryContextSwitchTo(before);
    return fresh_;
}

// Inserts as INSERT ... ON CONFLICT does. False if somebody was faster.
bool state_table::make(std::int64_t lid, const folded &now) {
    require_not_seen(lid);
    TupleTableSlot *slot = form(lid, now);
    bool conflict = false;
    const std::uint32_t token = ::SpeculativeInsertionLockAcquire(::GetCurrentTransactionId());
    ::table_tuple_insert_speculative(relation_, slot, ::GetCurrentCommandId(true), 0, nullptr, token);
    ::ExecInsertIndexTuples(target_, slot, executor_, false, true, &conflict, arbiters_);
    ::table_tuple_complete_speculative(relation_, slot, token, !conflict);
    ::SpeculativeInsertionLockRelease(::GetCurrentTransactionId());
    return !conflict;
}

// Replaces the version that was found. False if it is no longer the newest.
bool state_table::update_found(std::int64_t lid, const folded &now) {
    require_seen(lid);
    ItemPointerData place = found_->tts_tid;
    TupleTableSlot *slot = form(lid, now);
    TM_FailureData failure;
    LockTupleMode mode;
    bool update_indexes = false;
    const TM_Result result =
        ::table_tuple_update(relation_, &place, slot, ::GetCurrentCommandId(true), ::GetActiveSnapshot(),
                             InvalidSnapshot, true, &failure, &mode, &update_indexes);
    switch (result) {
    case TM_Ok:
        break;
    case TM_Updated:
    case TM_Deleted:
        if (IsolationUsesXactSnapshot())
            raise_conflict(relation_, lid);
        return false;
    default:
        elog(ERROR, "could not update a row of price state \"%s\": %d", RelationGetRelationName(relation_),
             static_cast<int>(result));
    }
    if (update_indexes)
        ::ExecInsertIndexTuples(target_, slot, executor_, true, false, nullptr, NIL);
    return true;
}

// A transaction that sees one state of the database all along must not change what it can't see.
void state_table::require_seen(std::int64_t lid) {
    if (IsolationUsesXactSnapshot() && !::table_tuple_satisfies_snapshot(relation_, found_, ::GetTransactionSnapshot()))
        raise_conflict(relation_, lid);
}

// ... nor put a row beside one that it still sees.
void state_table::require_not_seen(std::int64_t lid) {
    if (!IsolationUsesXactSnapshot())
        return;
    ScanKeyData key;
    ::ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(lid));
    const IndexScanDesc scan = ::index_beginscan(relation_, index_, ::GetTransactionSnapshot(), 1, 0);
    ::index_rescan(scan, &key, 1, nullptr, 0);
    const bool seen = ::index_getnext_slot(scan, ForwardScanDirection, found_);
    ::index_endscan(scan);
    ::ExecClearTuple(found_);
    if (seen)
        raise_conflict(relation_, lid);
}

bool state_table::lock(std::int64_t lid, folded &now) {
    for (;;) {
        if (!find(lid))
            return false;
        if (!lock_found())
            continue;
        read_found(now);
        locked_lid_ = lid;
        return true;
    }
}

bool state_table::lock_or_make(std::int64_t lid, folded &now) {
    now.any = false;
    for (;;) {
        if (lock(lid, now))
            return true;
        if (make(lid, now))
            return false;
    }
}

bool state_table::merge(std::int64_t lid, const folded &added, folded &before, folded &after) {
    for (;;) {
        if (!find(lid)) {
            if (!make(lid, added))
                continue;
            before.any = false;
            after = added;
            return true;
        }
        // Most rows change: they are updated without being locked first, which fails if somebody was faster.
        read_found(before);
        after = before;
        if (!after.merge(added)) {
            if (!lock_found())
                continue;
            read_found(before);
            after = before;
            if (!after.merge(added))
                return false;
        }
        if (update_found(lid, after))
            return true;
    }
}

void state_table::write_locked(const folded &now) {
    if (!update_found(locked_lid_, now))
        elog(ERROR, "a locked row of price state \"%s\" was changed", RelationGetRelationName(relation_));
}

void state_table::delete_locked() {
    require_seen(locked_lid_);
    ItemPointerData place = found_->tts_tid;
    TM_FailureData failure;
    const TM_Result result = ::table_tuple_delete(relation_, &place, ::GetCurrentCommandId(true), ::GetActiveSnapshot(),
                                                  InvalidSnapshot, true, &failure, false);
    if (result != TM_Ok)
        elog(ERROR, "could not delete a locked row of price state \"%s\": %d", RelationGetRelationName(relation_),
             static_cast<int>(result));
}

std::uint64_t state_table::delete_all() {
    std::uint64_t deleted = 0;
    const Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
    TupleTableSlot *slot = ::table_slot_create(relation_, nullptr);
    const TableScanDesc rows = ::table_beginscan(relation_, snapshot, 0, nullptr);
    while (::table_scan_getnextslot(rows, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        folded now;
        bool is_null = false;
        if (lock(DatumGetInt64(slot_getattr(slot, lid_, &is_null)), now)) {
            delete_locked();
            deleted++;
        }
    }
    ::table_endscan(rows);
    ::ExecDropSingleTupleTableSlot(slot);
    ::UnregisterSnapshot(snapshot);
    return deleted;
}

} // namespace etl::watch
