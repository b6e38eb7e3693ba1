// PG regime: may ereport, so no local here needs a destructor.
#include "sync/recent.hpp"

#include "pg/heap_pages.hpp"
#include "pg/index_pages.hpp"
#include "pg/key_search.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

#include <algorithm>

namespace etl::sync {

namespace {

struct columns_read {
    AttrNumber key, time;
};

bool may_read(Oid relation, AttrNumber column) {
    return ::pg_class_aclcheck(relation, ::GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
           ::pg_attribute_aclcheck(relation, column, ::GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

// Rows of partitions and children are in other tables, and in indexes of their own.
bool holds_all_rows(Relation table) {
    const Form_pg_class form = table->rd_rel;
    return form->relkind == RELKIND_RELATION && form->relam == HEAP_TABLE_AM_OID && !form->relhassubclass;
}

// Whatever else there is to be said is the executor's to say.
bool can_read(Relation table, const columns_read &columns) {
    return holds_all_rows(table) && columns.key > 0 && columns.time > 0 &&
           TupleDescAttr(table->rd_att, columns.key - 1)->atttypid == INT8OID &&
           TupleDescAttr(table->rd_att, columns.time - 1)->atttypid == TIMESTAMPTZOID &&
           may_read(RelationGetRelid(table), columns.key) && may_read(RelationGetRelid(table), columns.time) &&
           ::check_enable_rls(RelationGetRelid(table), InvalidOid, true) != RLS_ENABLED;
}

// Keys as they are found. Of more than these, a query tells which are too many.
constexpr std::int64_t most_keys = 4000000;
struct growing_list {
    std::int64_t *keys;
    std::int64_t count, room;
};

void add(growing_list &list, std::int64_t key) {
    if (list.count == list.room) {
        list.room *= 2;
        list.keys = static_cast<std::int64_t *>(
            ::repalloc_huge(list.keys, sizeof(std::int64_t) * static_cast<std::size_t>(list.room)));
    }
    list.keys[list.count++] = key;
}

void take_recent(growing_list &list, Relation table, const columns_read &columns, const pg::page_rows &rows,
                 TimestampTz since) {
    for (int i = 0; i < rows.count; i++) {
        HeapTupleData row{};
        row.t_data = rows[i];
        row.t_len = rows.length(i);
        bool is_null;
        const Datum time = heap_getattr(&row, columns.time, RelationGetDescr(table), &is_null);
        if (!is_null && DatumGetTimestampTz(time) < since)
            continue;
        const Datum key = heap_getattr(&row, columns.key, RelationGetDescr(table), &is_null);
        if (!is_null)
            add(list, DatumGetInt64(key));
    }
}

// False where there are too many.
bool read_recent(growing_list &list, Relation table, const columns_read &columns, TimestampTz since,
                 XLogRecPtr position) {
    const Snapshot snapshot = ::GetActiveSnapshot();
    const Oid index = pg::index_led_by(table, columns.time);
    pg::heap_pages pages;
    pg::begin_pages(pages, table, snapshot, !OidIsValid(index));
    pages.is_quiet = true;
    pages.written_since = position;
    pg::index_pages *found = OidIsValid(index) ? pg::begin_index_pages_since(index, since, snapshot) : nullptr;
    for (BlockNumber next = 0; list.count <= most_keys;) {
        CHECK_FOR_INTERRUPTS();
        const BlockNumber page = found ? pg::next_index_page(found) : next++;
        if (page == InvalidBlockNumber || (!found && page >= pages.count))
            break;
        if (page < pages.count)
            take_recent(list, table, columns, found ? pg::read_found_rows(pages, found) : pg::read_page(pages, page),
                        since);
    }
    if (found)
        pg::end_index_pages(found);
    pg::end_pages(pages);
    return list.count <= most_keys;
}

} // namespace

some_lids find_recent(const timed_rows &rows, TimestampTz since, std::uint64_t position) {
    const Relation table = ::try_relation_open(rows.relation, AccessShareLock);
    if (!table)
        return {false, nullptr, 0};
    const columns_read columns{::get_attnum(rows.relation, rows.key), ::get_attnum(rows.relation, rows.time)};
    bool known = can_read(table, columns);
    growing_list list{static_cast<std::int64_t *>(::palloc(sizeof(std::int64_t) * 1024)), 0, 1024};
    if (known) {
        ::PushActiveSnapshot(::GetTransactionSnapshot());
        known = read_recent(list, table, columns, since, position);
        ::PopActiveSnapshot();
    }
    ::relation_close(table, NoLock);
    std::sort(list.keys, list.keys + list.count);
    return {known, list.keys, std::unique(list.keys, list.keys + list.count) - list.keys};
}

some_lids find_indexed(Oid relation, const char *key, const some_lids &lids) {
    const Relation table = ::try_relation_open(relation, AccessShareLock);
    const Oid index =
        table && holds_all_rows(table) ? pg::index_led_by(table, ::get_attnum(relation, key)) : InvalidOid;
    if (table)
        ::relation_close(table, NoLock);
    some_lids found{
        OidIsValid(index),
        static_cast<std::int64_t *>(::palloc(sizeof(std::int64_t) * (static_cast<std::size_t>(lids.count) + 1))), 0};
    if (!found.known)
        return found;
    const Relation opened = ::index_open(index, AccessShareLock);
    // While a snapshot is held, no page of the index is used anew for other keys.
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    pg::key_search search;
    search.open(opened);
    for (std::int64_t i = 0; i < lids.count; i++) {
        pg::key_rows rows;
        if (!search.find(lids.lids[i], rows) || rows.count > 0)
            found.lids[found.count++] = lids.lids[i];
    }
    search.close();
    ::PopActiveSnapshot();
    ::index_close(opened, NoLock);
    return found;
}

} // namespace etl::sync
