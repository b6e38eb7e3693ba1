// PG regime: may ereport, so no local here needs a destructor.
#include "watch/state_search.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace etl::watch {

namespace {

void start_at(IndexScanDesc scan, std::int64_t lid) {
    ScanKeyData key;
    ::ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(lid));
    ::index_rescan(scan, &key, 1, nullptr, 0);
}

} // namespace

void state_search::open(const state_access &access) {
    relation_ = access.relation;
    index_ = access.index;
    slot_ = ::table_slot_create(relation_, nullptr);
    keys_.open(index_);
    rows_ = ::table_index_fetch_begin(relation_);
    scan_ = nullptr;
    InitDirtySnapshot(dirty_);
}

void state_search::close() {
    if (scan_)
        ::index_endscan(scan_);
    ::table_index_fetch_end(rows_);
    keys_.close();
    ::ExecDropSingleTupleTableSlot(slot_);
}

// A scan also marks the entries whose rows nobody sees any more, so that they are not looked at again.
bool state_search::scan(std::int64_t lid) {
    if (!scan_)
        scan_ = ::index_beginscan(relation_, index_, &dirty_, 1, 0);
    start_at(scan_, lid);
    return ::index_getnext_slot(scan_, ForwardScanDirection, slot_);
}

bool state_search::look(std::int64_t lid) {
    pg::key_rows places;
    if (!keys_.find(lid, places))
        return scan(lid);
    for (int i = 0; i < places.count; i++) {
        bool again = false, all_dead = false;
        if (::table_index_fetch_tuple(rows_, &places.rows[i], &dirty_, slot_, &again, &all_dead))
            return true;
        if (all_dead)
            return scan(lid);
    }
    return false;
}

bool state_search::find(std::int64_t lid) {
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (!look(lid))
            return false;
        if (!TransactionIdIsValid(dirty_.xmin))
            return true;
        const TransactionId inserter = dirty_.xmin;
        const std::uint32_t token = dirty_.speculativeToken;
        ItemPointerData place = slot_->tts_tid;
        ::ExecClearTuple(slot_);
        keys_.leave();
        if (token)
            ::SpeculativeInsertionWait(inserter, token);
        else
            ::XactLockTableWait(inserter, relation_, &place, XLTW_InsertIndex);
    }
}

void state_search::leave() {
    keys_.leave();
    if (scan_)
        ::index_endscan(scan_);
    scan_ = nullptr;
}

void state_search::leave_if_busy() {
    const HeapTupleHeader row = reinterpret_cast<HeapTupleTableSlot *>(slot_)->tuple->t_data;
    if ((row->t_infomask & HEAP_XMAX_INVALID) || (!(row->t_infomask & HEAP_XMAX_IS_MULTI) &&
                                                 ::TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmax(row))))
        return;
    leave();
}

bool state_search::find_in_snapshot(std::int64_t lid) {
    const IndexScanDesc scan = ::index_beginscan(relation_, index_, ::GetTransactionSnapshot(), 1, 0);
    start_at(scan, lid);
    const bool found = ::index_getnext_slot(scan, ForwardScanDirection, slot_);
    ::index_endscan(scan);
    return found;
}

} // namespace etl::watch
