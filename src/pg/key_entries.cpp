// Boundary: pages of a B-tree. PostgreSQL 16 hands the heap to _bt_search and _bt_mkscankey, too.
#include "pg/key_entries.hpp"

extern "C" {
#include "access/genam.h"
#include "access/nbtree.h"
#include "access/xloginsert.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/rel.h"
}

namespace etl::pg {

namespace {

// What entries of one index have in common.
struct entry_form {
    Relation index;
    BTScanInsert search;
    IndexTuple entry;
    Size size;
};

entry_form form_of(Relation index) {
    Datum key = Int64GetDatum(0);
    bool is_null = false;
    entry_form form{index, nullptr, ::index_form_tuple(RelationGetDescr(index), &key, &is_null), 0};
    form.size = MAXALIGN(IndexTupleSize(form.entry));
    form.search = ::_bt_mkscankey(index, form.entry);
    // Wherever in the heap a row of that key is.
    form.search->scantid = nullptr;
    return form;
}

// The first place on the page whose key is not below the one searched for.
OffsetNumber place_on(const entry_form &form, Page page) {
    OffsetNumber low = P_FIRSTDATAKEY(BTPageGetOpaque(page));
    OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));
    while (low < high) {
        const OffsetNumber middle = static_cast<OffsetNumber>(low + (high - low) / 2);
        if (::_bt_compare(form.index, form.search, page, middle) > 0)
            low = OffsetNumberNext(middle);
        else
            high = middle;
    }
    return low;
}

// How many entries from the first on have their place right there: all keys are below the next one, which on a page to
// the right is at least the high key.
std::size_t entries_that_fit(const entry_form &form, Page page, OffsetNumber place, const key_entry *entries,
                             std::size_t count) {
    const BTPageOpaque opaque = BTPageGetOpaque(page);
    count = std::min(count, PageGetExactFreeSpace(page) / (form.size + sizeof(ItemIdData)));
    const bool is_last = place > PageGetMaxOffsetNumber(page);
    if (is_last && P_RIGHTMOST(opaque))
        return count;
    const IndexTuple next =
        reinterpret_cast<IndexTuple>(PageGetItem(page, PageGetItemId(page, is_last ? P_HIKEY : place)));
    if (BTreeTupleGetNAtts(next, form.index) == 0)
        return 0;
    bool is_null;
    const std::int64_t bound = DatumGetInt64(index_getattr(next, 1, RelationGetDescr(form.index), &is_null));
    if (is_null)
        return 0;
    return static_cast<std::size_t>(
        std::lower_bound(entries, entries + count, bound,
                         [](const key_entry &entry, std::int64_t key) { return entry.key < key; }) -
        entries);
}

void add_to_page(const entry_form &form, Buffer buffer, OffsetNumber place, const key_entry *entries,
                 std::size_t count) {
    const Page page = BufferGetPage(buffer);
    char *key = reinterpret_cast<char *>(form.entry) + IndexInfoFindDataOffset(form.entry->t_info);
    START_CRIT_SECTION();
    for (std::size_t i = 0; i < count; i++, place = OffsetNumberNext(place)) {
        form.entry->t_tid = entries[i].row;
        memcpy(key, &entries[i].key, sizeof entries[i].key);
        if (PageAddItem(page, reinterpret_cast<Item>(form.entry), form.size, place, false, false) != place)
            elog(PANIC, "failed to add an entry to index \"%s\"", RelationGetRelationName(form.index));
    }
    ::MarkBufferDirty(buffer);
    if (RelationNeedsWAL(form.index))
        ::log_newpage_buffer(buffer, true);
    END_CRIT_SECTION();
}

// Enters what goes to the page of the first entry, if nothing there has to be looked at first: an entry of the same
// key, whose row may be dead; a page that has to be split. Returns the number of entries.
std::size_t fill_page(const entry_form &form, const key_entry *entries, std::size_t count) {
    Buffer buffer;
    form.search->scankeys[0].sk_argument = Int64GetDatum(entries[0].key);
    // The leftmost page that may have the key; so none to the left of it has, nor one to the right if it does not end
    // with the key.
    ::_bt_freestack(::_bt_search(form.index, form.search, &buffer, BT_WRITE, nullptr));
    const Page page = BufferGetPage(buffer);
    const BTPageOpaque opaque = BTPageGetOpaque(page);
    std::size_t entered = 0;
    if (!P_IGNORE(opaque) && !P_INCOMPLETE_SPLIT(opaque)) {
        ::CheckForSerializableConflictIn(form.index, nullptr, BufferGetBlockNumber(buffer));
        const OffsetNumber place = place_on(form, page);
        entered = entries_that_fit(form, page, place, entries, count);
        if (entered > 0)
            add_to_page(form, buffer, place, entries, entered);
    }
    ::_bt_relbuf(form.index, buffer);
    return entered;
}

} // namespace

bool takes_key_entries(const ResultRelInfo *table) {
    if (table->ri_NumIndices != 1)
        return false;
    const Relation index = table->ri_IndexRelationDescs[0];
    const IndexInfo *info = table->ri_IndexRelationInfo[0];
    return index->rd_rel->relam == BTREE_AM_OID && info->ii_Unique && info->ii_ReadyForInserts &&
           index->rd_index->indimmediate && info->ii_NumIndexAttrs == 1 && info->ii_Expressions == NIL &&
           info->ii_Predicate == NIL && index->rd_opfamily[0] == INTEGER_BTREE_FAM_OID &&
           index->rd_opcintype[0] == INT8OID && index->rd_indoption[0] == 0;
}

void insert_key_entries(ResultRelInfo *table, const key_entry *entries, std::size_t count) {
    const Relation index = table->ri_IndexRelationDescs[0];
    const entry_form form = form_of(index);
    const key_entry *const end = entries + count;
    while (entries < end) {
        CHECK_FOR_INTERRUPTS();
        // An index from before PostgreSQL 12 keeps equal keys in no order.
        const std::size_t entered =
            form.search->heapkeyspace ? fill_page(form, entries, static_cast<std::size_t>(end - entries)) : 0;
        entries += entered;
        if (entered == 0) {
            Datum key = Int64GetDatum(entries->key);
            bool is_null = false;
            ItemPointerData row = entries->row;
            ::index_insert(index, &key, &is_null, &row, table->ri_RelationDesc, UNIQUE_CHECK_YES, false,
                           table->ri_IndexRelationInfo[0]);
            entries++;
        }
    }
    ::pfree(form.search);
    ::pfree(form.entry);
}

} // namespace etl::pg
