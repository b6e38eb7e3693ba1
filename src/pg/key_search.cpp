// Boundary: pages of a B-tree. PostgreSQL 16 hands the heap to _bt_search, too.
#include "pg/key_search.hpp"

extern "C" {
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

namespace etl::pg {

namespace {

bool is_on_bigint(Relation index) {
    return index->rd_rel->relam == BTREE_AM_OID && IndexRelationGetNumberOfAttributes(index) == 1 &&
           index->rd_opfamily[0] == INTEGER_BTREE_FAM_OID && index->rd_opcintype[0] == INT8OID &&
           index->rd_indoption[0] == 0;
}

} // namespace

void key_search::open(Relation index) {
    index_ = index;
    buffer_ = InvalidBuffer;
    usable_ = is_on_bigint(index);
    if (!usable_)
        return;
    // An index from before PostgreSQL 12 keeps equal keys in no order.
    ::_bt_metaversion(index, &form_.heapkeyspace, &form_.allequalimage);
    usable_ = form_.heapkeyspace;
    form_.anynullkeys = form_.nextkey = form_.pivotsearch = false;
    form_.scantid = nullptr;
    form_.keysz = 1;
    ::ScanKeyEntryInitializeWithInfo(&form_.scankeys[0], 0, 1, InvalidStrategy, InvalidOid, InvalidOid,
                                     ::index_getprocinfo(index, 1, BTORDER_PROC), 0);
}

void key_search::leave() {
    if (BufferIsValid(buffer_))
        ::ReleaseBuffer(buffer_);
    buffer_ = InvalidBuffer;
}

// NULLs come last.
std::int64_t key_search::key_at(int place) const {
    const IndexTuple entry = reinterpret_cast<IndexTuple>(
        PageGetItem(page_, PageGetItemId(page_, static_cast<OffsetNumber>(place))));
    bool is_null = false;
    const Datum key = index_getattr(entry, 1, RelationGetDescr(index_), &is_null);
    return is_null ? PG_INT64_MAX : DatumGetInt64(key);
}

// Whether entries of the key may be on a page to the right.
bool key_search::ends_below(std::int64_t key) const {
    return !P_RIGHTMOST(BTPageGetOpaque(page_)) && key_at(P_HIKEY) <= key;
}

// Where a page begins never moves up, so a key above one that was looked for there can be to the right of it only. A
// page that was deleted says so, and is not used for anything else while a snapshot is held that is older.
bool key_search::lock_same_page(std::int64_t key) {
    if (!BufferIsValid(buffer_) || key < last_key_)
        return false;
    ::_bt_lockbuf(index_, buffer_, BT_READ);
    if (!P_IGNORE(BTPageGetOpaque(page_)) && !ends_below(key))
        return true;
    ::_bt_unlockbuf(index_, buffer_);
    return false;
}

// False where the index is empty.
bool key_search::lock_page(std::int64_t key) {
    if (lock_same_page(key))
        return true;
    leave();
    form_.scankeys[0].sk_argument = Int64GetDatum(key);
    ::_bt_freestack(::_bt_search(index_, &form_, &buffer_, BT_READ, nullptr));
    if (!BufferIsValid(buffer_))
        return false;
    page_ = BufferGetPage(buffer_);
    next_place_ = 0;
    return true;
}

// Keys are mostly spread evenly over a page.
OffsetNumber key_search::guess(std::int64_t key, int first, int last) const {
    const double low = static_cast<double>(key_at(first)), high = static_cast<double>(key_at(last));
    const double part = high > low ? (static_cast<double>(key) - low) / (high - low) : 0;
    return static_cast<OffsetNumber>(first + static_cast<int>(std::clamp(part, 0.0, 1.0) * (last - first)));
}

// The first place whose key is not below; it is looked for around the guess, in growing steps, then by halves.
OffsetNumber key_search::place_of(std::int64_t key) const {
    int low = P_FIRSTDATAKEY(BTPageGetOpaque(page_)), high = PageGetMaxOffsetNumber(page_) + 1;
    int at = low < high && next_place_ == 0 ? guess(key, low, high - 1) : next_place_;
    for (int step = 1; low < high; step *= 2) {
        if (at < low || at >= high)
            at = low + (high - low) / 2;
        if (key_at(at) < key) {
            low = at + 1;
            at += step;
        } else {
            high = at;
            at -= step;
        }
    }
    return static_cast<OffsetNumber>(low);
}

bool key_search::read_page(std::int64_t key, key_rows &found) {
    const int end = PageGetMaxOffsetNumber(page_) + 1;
    int place = place_of(key);
    for (; place < end; place++) {
        const ItemId item = PageGetItemId(page_, static_cast<OffsetNumber>(place));
        const IndexTuple entry = reinterpret_cast<IndexTuple>(PageGetItem(page_, item));
        if (key_at(place) != key || IndexTupleHasNulls(entry))
            break;
        if (ItemIdIsDead(item))
            continue;
        const bool is_list = BTreeTupleIsPosting(entry);
        const int more = is_list ? BTreeTupleGetNPosting(entry) : 1;
        if (found.count + more > key_rows::most)
            return false;
        for (int i = 0; i < more; i++)
            found.rows[found.count++] = is_list ? *BTreeTupleGetPostingN(entry, i) : entry->t_tid;
    }
    next_place_ = place;
    return place < end || !ends_below(key);
}

bool key_search::find(std::int64_t key, key_rows &found) {
    found.count = 0;
    if (!usable_)
        return false;
    if (!lock_page(key))
        return true;
    last_key_ = key;
    const bool whole = read_page(key, found);
    ::_bt_unlockbuf(index_, buffer_);
    return whole;
}

} // namespace etl::pg
