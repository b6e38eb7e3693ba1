// PG regime: layouts of price states, cached by table.
#include "watch/state_layout.hpp"

#include "fold/price_state.hpp"

extern "C" {
#include "access/genam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace etl::watch {

namespace {

HTAB *cache = nullptr;
std::uint64_t invalidations = 0; // any of them; tells whether one came in while the table was looked at

void forget(Datum, Oid relation) {
    HASH_SEQ_STATUS all;
    ::hash_seq_init(&all, cache);
    while (const auto *one = static_cast<const state_layout *>(::hash_seq_search(&all)))
        if (!OidIsValid(relation) || one->table == relation || one->index == relation)
            ::hash_search(cache, &one->table, HASH_REMOVE, nullptr);
    invalidations++;
}

void prepare_cache() {
    if (cache)
        return;
    HASHCTL control{};
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(state_layout);
    control.hcxt = TopMemoryContext;
    cache = ::hash_create("pg_etl price states", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    ::CacheRegisterRelcacheCallback(forget, 0);
}

bool same_coding(const fold::event_coding &one, const fold::event_coding &other) {
    return one.kind == other.kind && one.day_is_date == other.day_is_date && one.format.scale == other.format.scale &&
           one.format.scale_varies == other.format.scale_varies;
}

// Whether somebody's function computes what the index has to hold.
bool is_computed(Relation index) {
    return ::RelationGetIndexExpressions(index) != NIL || ::RelationGetIndexPredicate(index) != NIL ||
           index->rd_index->indisexclusion;
}

bool is_key(Relation index, AttrNumber lid) {
    const Form_pg_index form = index->rd_index;
    return form->indisunique && form->indisvalid && form->indimmediate && form->indnkeyatts == 1 &&
           form->indkey.values[0] == lid && index->rd_rel->relam == BTREE_AM_OID &&
           index->rd_opfamily[0] == INTEGER_BTREE_FAM_OID;
}

// 0 where there is none, or an index is computed.
Oid find_key(Relation table, AttrNumber lid) {
    Oid key = InvalidOid;
    bool fit = true;
    List *indexes = ::RelationGetIndexList(table);
    ListCell *cell;
    foreach (cell, indexes) {
        const Relation index = ::index_open(lfirst_oid(cell), AccessShareLock);
        fit = fit && !is_computed(index);
        if (!OidIsValid(key) && is_key(index, lid))
            key = RelationGetRelid(index);
        ::index_close(index, AccessShareLock);
    }
    ::list_free(indexes);
    return fit ? key : InvalidOid;
}

bool look_at(Relation table, const fold::event_coding &coding, state_layout &found) {
    found.table = RelationGetRelid(table);
    if (fold::obstacle_to_rows(table) || !fold::find_state_columns(RelationGetDescr(table), coding, found.columns))
        return false;
    found.index = find_key(table, found.columns.lid);
    return OidIsValid(found.index);
}

} // namespace

bool find_state_layout(Relation table, const fold::event_coding &coding, state_layout &found) {
    prepare_cache();
    const Oid key = RelationGetRelid(table);
    const auto *kept = static_cast<const state_layout *>(::hash_search(cache, &key, HASH_FIND, nullptr));
    if (kept && same_coding(kept->columns.coding, coding)) {
        found = *kept;
        return true;
    }
    const std::uint64_t before = invalidations;
    if (!look_at(table, coding, found))
        return false;
    if (before == invalidations)
        *static_cast<state_layout *>(::hash_search(cache, &key, HASH_ENTER, nullptr)) = found;
    return true;
}

} // namespace etl::watch
