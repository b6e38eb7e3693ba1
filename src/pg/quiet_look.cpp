// Boundary: what PostgreSQL's heapam_visibility.c and heap_hot_search_buffer decide, without writing it down.
#include "pg/quiet_look.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

seen look_quietly(HeapTupleHeader row, Snapshot snapshot) {
    const TransactionId made_by = HeapTupleHeaderGetRawXmin(row);
    if (!HeapTupleHeaderXminCommitted(row) && (HeapTupleHeaderXminInvalid(row) || (row->t_infomask & HEAP_MOVED) ||
                                               ::TransactionIdIsCurrentTransactionId(made_by)))
        return seen::unknown;
    if (!HeapTupleHeaderXminFrozen(row)) {
        if (::XidInMVCCSnapshot(made_by, snapshot))
            return seen::no;
        if (!HeapTupleHeaderXminCommitted(row) && !::TransactionIdDidCommit(made_by))
            return seen::unknown;
    }
    if ((row->t_infomask & HEAP_XMAX_INVALID) || HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask))
        return seen::yes;
    const TransactionId ended_by = HeapTupleHeaderGetRawXmax(row);
    if ((row->t_infomask & HEAP_XMAX_IS_MULTI) || ::TransactionIdIsCurrentTransactionId(ended_by))
        return seen::unknown;
    if (::XidInMVCCSnapshot(ended_by, snapshot))
        return seen::yes;
    return (row->t_infomask & HEAP_XMAX_COMMITTED) || ::TransactionIdDidCommit(ended_by) ? seen::no : seen::unknown;
}

seen follow_quietly(char *page, OffsetNumber at, Snapshot snapshot, ItemIdData &found) {
    TransactionId before = InvalidTransactionId;
    for (bool is_first = true;; is_first = false) {
        if (at < FirstOffsetNumber || at > PageGetMaxOffsetNumber(page))
            return seen::no;
        found = *PageGetItemId(page, at);
        if (is_first && ItemIdIsRedirected(&found)) {
            at = static_cast<OffsetNumber>(ItemIdGetRedirect(&found));
            found = *PageGetItemId(page, at);
        } else if (is_first && ItemIdIsNormal(&found) &&
                   HeapTupleHeaderIsHeapOnly(reinterpret_cast<HeapTupleHeader>(page + found.lp_off))) {
            return seen::no;
        }
        if (!ItemIdIsNormal(&found))
            return seen::no;
        const HeapTupleHeader row = reinterpret_cast<HeapTupleHeader>(page + found.lp_off);
        if (TransactionIdIsValid(before) && before != HeapTupleHeaderGetXmin(row))
            return seen::no;
        if (const seen told = look_quietly(row, snapshot); told != seen::no)
            return told;
        if (!HeapTupleHeaderIsHotUpdated(row))
            return seen::no;
        at = ItemPointerGetOffsetNumber(&row->t_ctid);
        before = HeapTupleHeaderGetUpdateXid(row);
    }
}

} // namespace etl::pg
