// Boundary: what pages tell of when a table was written.
#include "pg/written.hpp"

#include "kernel/fetch.hpp"
#include "pg/guard.hpp"
#include "pg/heap_pages.hpp"

extern "C" {
#include "access/relation.h"
#include "access/transam.h"
#include "access/visibilitymap.h"
#include "access/xlog.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace etl::pg {

namespace {

bool is_plain_table(Relation relation) {
    return relation->rd_rel->relkind == RELKIND_RELATION && relation->rd_rel->relam == HEAP_TABLE_AM_OID &&
           relation->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT && !relation->rd_rel->relhassubclass;
}

// Who writes at this moment has not committed: the lock is for pages that were never logged, which are few.
bool has_unlogged_rows(Buffer buffer) {
    ::LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const Page page = BufferGetPage(buffer);
    const bool found = !PageIsNew(page) && PageGetMaxOffsetNumber(page) > 0;
    ::LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    return found;
}

bool is_before(Buffer buffer, XLogRecPtr position) {
    const XLogRecPtr written = written_at(buffer);
    return XLogRecPtrIsInvalid(written) ? !has_unlogged_rows(buffer) : written <= position;
}

// Whether no page was marked all-visible since the position in this page of the visibility map. Who marks one writes
// the position under the lock; who clears a mark does not: a mark that is there has been there all the time.
bool has_old_marks(Buffer map, XLogRecPtr position) {
    if (!BufferIsValid(map))
        return false;
    ::LockBuffer(map, BUFFER_LOCK_SHARE);
    const XLogRecPtr written = PageGetLSN(BufferGetPage(map));
    ::LockBuffer(map, BUFFER_LOCK_UNLOCK);
    return !XLogRecPtrIsInvalid(written) && written <= position;
}

class page_search {
public:
    page_search(Relation table, XLogRecPtr position, std::int64_t most_pages)
        : table_(table), position_(position), left_(most_pages), pages_(RelationGetNumberOfBlocks(table)),
          strategy_(strategy_for(pages_)) {}

    bool all_before() {
        bool before = true;
        for (BlockNumber first = 0; first < pages_ && before;)
            before = all_before_from(first);
        if (BufferIsValid(map_))
            ::ReleaseBuffer(map_);
        if (strategy_)
            ::FreeAccessStrategy(strategy_);
        return before;
    }

private:
    // Goes on to the first page that another page of the map is for.
    bool all_before_from(BlockNumber &page) {
        (void)::visibilitymap_get_status(table_, page, &map_);
        const bool marked = has_old_marks(map_, position_);
        for (; page < pages_ && (!BufferIsValid(map_) || ::visibilitymap_pin_ok(page, map_)); page++)
            if (!(marked && VM_ALL_VISIBLE(table_, page, &map_)) && !page_is_before(page))
                return false;
        return !marked || has_old_marks(map_, position_);
    }

    bool page_is_before(BlockNumber page) {
        CHECK_FOR_INTERRUPTS();
        if (left_-- <= 0)
            return false;
        const Buffer buffer = pin_page(table_, page, expected_, strategy_);
        expected_ = expected_after(before_, buffer);
        before_ = buffer;
        constexpr int ahead = 8;
        if (buffer > 0 && buffer + ahead <= NBuffers)
            kernel::fetch(BufferGetPage(buffer + ahead));
        const bool before = is_before(buffer, position_);
        ::ReleaseBuffer(buffer);
        return before;
    }

    Relation table_;
    XLogRecPtr position_;
    std::int64_t left_; // pages that may be looked at
    BlockNumber pages_;
    BufferAccessStrategy strategy_;
    Buffer expected_ = InvalidBuffer, before_ = InvalidBuffer;
    Buffer map_ = InvalidBuffer;
};

bool may_use_schema(Oid schema) {
#if PG_VERSION_NUM >= 160000
    return ::object_aclcheck(NamespaceRelationId, schema, ::GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#else
    return ::pg_namespace_aclcheck(schema, ::GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#endif
}

bool has_index(Relation table, AttrNumber column) {
    List *indexes = ::RelationGetIndexList(table);
    bool found = false;
    ListCell *cell;
    foreach (cell, indexes) {
        const Relation index = ::relation_open(lfirst_oid(cell), AccessShareLock);
        found = found || (index->rd_index->indisvalid && index->rd_index->indkey.values[0] == column &&
                          ::RelationGetIndexPredicate(index) == NIL);
        ::relation_close(index, NoLock);
    }
    ::list_free(indexes);
    return found;
}

} // namespace

// The position first: whoever wrote before it had a number by then.
log_place log_place_now() {
    const XLogRecPtr position = ::GetXLogInsertRecPtr();
    const FullTransactionId next = ::ReadNextFullTransactionId();
    return {format("%X/%X", static_cast<std::uint32_t>(position >> 32), static_cast<std::uint32_t>(position)),
            format(UINT64_FORMAT, U64FromFullTransactionId(next))};
}

bool is_unwritten_since(Oid relation, std::uint64_t position, std::int64_t most_pages) {
    return call([=] {
        const Relation table = ::relation_open(relation, NoLock);
        const bool unwritten = is_plain_table(table) && page_search(table, position, most_pages).all_before();
        ::relation_close(table, NoLock);
        return unwritten;
    });
}

bool may_read_all(Oid relation) {
    return call([=] {
        const Relation table = ::relation_open(relation, NoLock);
        const bool has_policies = table->rd_rel->relrowsecurity;
        ::relation_close(table, NoLock);
        return !has_policies && ::pg_class_aclcheck(relation, ::GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
               may_use_schema(::get_rel_namespace(relation));
    });
}

std::optional<std::int64_t> pages_to_search(Oid relation, const char *column) {
    const std::int64_t pages = call([=]() -> std::int64_t {
        const Relation table = ::relation_open(relation, NoLock);
        std::int64_t found = -1;
        if (is_plain_table(table))
            found = has_index(table, ::get_attnum(relation, column)) ? 0 : RelationGetNumberOfBlocks(table);
        ::relation_close(table, NoLock);
        return found;
    });
    return pages < 0 ? std::nullopt : std::optional(pages);
}

} // namespace etl::pg
