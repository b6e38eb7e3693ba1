// Boundary: index builds. What a build asks of the table's access method, its rows, we give it instead.
#include "pg/index_build.hpp"

#include "kernel/key_order.hpp"
#include "pg/finally.hpp"
#include "pg/index_rows.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/progress.h"
#include "parser/parse_utilcmd.h"
#include "parser/parser.h"
#include "storage/lmgr.h"
#include "utils/backend_progress.h"
#include "utils/snapmgr.h"
#include "utils/sortsupport.h"
}

namespace etl::pg {

namespace {

struct build {
    heap_pages pages;
    index_rows *rows; // all of the table's for all indexes, or null
    std::size_t memory;
    std::int64_t rows_found;
};

// The build that is under way in this process.
build *under_way;

int compare_values(const void *left, const void *right, void *how) {
    const distinct_value *a = *static_cast<distinct_value *const *>(left),
                         *b = *static_cast<distinct_value *const *>(right);
    return ::ApplySortComparator(PointerGetDatum(a->bytes), false, PointerGetDatum(b->bytes), false,
                                 static_cast<SortSupport>(how));
}

// By their numbers, where each of a column's distinct values comes in the order of the index.
std::uint32_t *rank_values(const index_column &column, Relation index) {
    SortSupportData how{};
    how.ssup_cxt = CurrentMemoryContext;
    how.ssup_collation = index->rd_indcollation[0];
    how.ssup_attno = 1;
    ::PrepareSortSupportFromIndexRel(index, BTLessStrategyNumber, &how);
    distinct_value **values =
        static_cast<distinct_value **>(::palloc(sizeof(distinct_value *) * column.distinct.count));
    std::uint32_t *ranks = static_cast<std::uint32_t *>(::palloc(sizeof(std::uint32_t) * column.distinct.count));
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < column.distinct.slot_count; i++)
        if (column.distinct.slots[i])
            values[count++] = column.distinct.slots[i];
    ::qsort_arg(values, count, sizeof(distinct_value *), compare_values, &how);
    for (std::uint32_t i = 0; i < count; i++)
        ranks[values[i]->number] = i;
    return ranks;
}

// Of the operator classes that are usual; others only make the sort slower.
bool is_ordered_as_number(Oid type) {
    switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case DATEOID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return true;
    default:
        return false;
    }
}

// Numbers whose order is that of the index's first column, with NULLs last. Null where there are none that are worth
// it.
kernel::keyed_place *number_rows(const index_rows *rows, const index_column &column, Relation index) {
    const bool is_number = column.by_value && is_ordered_as_number(index->rd_opcintype[0]);
    if (index->rd_indoption[0] != 0 || (column.by_value ? !is_number : column.distinct.count > rows->count / 8))
        return nullptr;
    const std::uint32_t *ranks = column.by_value || column.distinct.count == 0 ? nullptr : rank_values(column, index);
    kernel::keyed_place *const numbered = rows->order[0];
    for (std::size_t i = 0; i < rows->count; i++) {
        std::uint64_t key = PG_UINT64_MAX;
        if (!column.nulls[i])
            key = column.by_value ? column.values[i] ^ std::uint64_t{1} << 63
                                  : ranks[reinterpret_cast<distinct_value *>(column.values[i])->number];
        numbered[i] = {key, static_cast<std::uint32_t>(i)};
    }
    return numbered;
}

// The build sorts what it is given: it need not be in order, but is sorted faster if it is.
void give_rows(const index_rows *rows, Relation index, IndexBuildCallback take, void *state) {
    if (rows->count == 0)
        return;
    const index_column *columns[INDEX_MAX_KEYS];
    const int count = index->rd_index->indnatts;
    for (int i = 0; i < count; i++)
        columns[i] = &rows->columns[find_column(rows, index->rd_index->indkey.values[i])];
    const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "etl index order", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext before = ::MemoryContextSwitchTo(memory);
    kernel::keyed_place *order = number_rows(rows, *columns[0], index);
    if (order)
        order = kernel::sort_by_key(order, rows->order[1], rows->count);
    ::MemoryContextSwitchTo(before);
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    for (std::size_t i = 0; i < rows->count; i++) {
        const std::size_t row = order ? order[i].place : i;
        for (int j = 0; j < count; j++) {
            const index_column &column = *columns[j];
            nulls[j] = column.nulls[row];
            values[j] = column.by_value || nulls[j]
                            ? column.values[row]
                            : PointerGetDatum(reinterpret_cast<distinct_value *>(column.values[row])->bytes);
        }
        if (i % 1024 == 0)
            CHECK_FOR_INTERRUPTS();
        take(index, &rows->places[row], values, nulls, true, state);
    }
    ::MemoryContextDelete(memory);
}

// Rows of pages that were noted come as PostgreSQL reads them.
double give_odd_rows(const index_rows *rows, Relation table, Relation index, IndexInfo *info, IndexBuildCallback take,
                     void *state) {
    double found = 0;
    for (std::size_t i = 0; i < rows->odd_count; i++)
        found += ::GetHeapamTableAmRoutine()->index_build_range_scan(table, index, info, false, false, false,
                                                                     rows->odd[i], 1, take, state, nullptr);
    return found;
}

double give_all(build &now, Relation table, Relation index, IndexInfo *info, IndexBuildCallback take, void *state) {
    index_rows *const rows = now.rows ? now.rows : begin_index_rows(table, &index, 1, now.memory);
    double found = 0;
    BlockNumber page = now.rows ? now.pages.count : 0;
    do {
        if (!now.rows)
            page = gather_rows(rows, now.pages, page);
        give_rows(rows, index, take, state);
        found += static_cast<double>(rows->count) + give_odd_rows(rows, table, index, info, take, state);
        if (!now.rows)
            forget_rows(rows);
    } while (page < now.pages.count);
    if (!now.rows)
        end_index_rows(rows);
    return found;
}

// Stands in for the heap's index_build_range_scan, once: the heap's own code wants to find its own.
double scan_for_build(Relation table, Relation index, IndexInfo *info, bool allow_sync, bool any_visible, bool progress,
                      BlockNumber from, BlockNumber count, IndexBuildCallback take, void *state, TableScanDesc scan) {
    const TableAmRoutine *const heap = ::GetHeapamTableAmRoutine();
    table->rd_tableam = heap;
    if (scan || any_visible || from != 0 || count != InvalidBlockNumber)
        return heap->index_build_range_scan(table, index, info, allow_sync, any_visible, progress, from, count, take,
                                            state, scan);
    const double found = give_all(*under_way, table, index, info, take, state);
    under_way->rows_found = static_cast<std::int64_t>(found);
    return found;
}

// Should PostgreSQL read its entry of the table anew before the scan, then that is the heap's own.
void fill_index(build &now, Relation table, Relation index) {
    const TableAmRoutine *const usual = ::GetHeapamTableAmRoutine();
    TableAmRoutine methods = *usual;
    methods.index_build_range_scan = scan_for_build;
    IndexInfo *const info = ::BuildIndexInfo(index);
    ::pgstat_progress_start_command(PROGRESS_COMMAND_CREATE_INDEX, RelationGetRelid(table));
    ::pgstat_progress_update_param(PROGRESS_CREATEIDX_COMMAND, PROGRESS_CREATEIDX_COMMAND_CREATE);
    ::pgstat_progress_update_param(PROGRESS_CREATEIDX_INDEX_OID, RelationGetRelid(index));
    table->rd_tableam = &methods;
    under_way = &now;
    (void)finally(
        [&] {
            ::index_build(table, index, info, false, false);
            return true;
        },
        [&] {
            table->rd_tableam = usual;
            under_way = nullptr;
        });
    ::pgstat_progress_end_command();
}

std::int64_t fill_all(Oid oid, const Oid *indexes, int count, std::size_t memory) {
    const Relation table = ::table_open(oid, ShareLock);
    Relation *const opened = static_cast<Relation *>(::palloc(sizeof(Relation) * static_cast<std::size_t>(count)));
    for (int i = 0; i < count; i++)
        opened[i] = ::index_open(indexes[i], AccessExclusiveLock);
    build now{};
    now.memory = memory;
    begin_pages(now.pages, table, ::GetActiveSnapshot(), true);
    if (count > 1) {
        now.rows = begin_index_rows(table, opened, count, memory);
        if (gather_rows(now.rows, now.pages, 0) < now.pages.count) {
            end_index_rows(now.rows);
            now.rows = nullptr;
        }
    }
    for (int i = 0; i < count; i++) {
        fill_index(now, table, opened[i]);
        ::index_close(opened[i], NoLock);
    }
    if (now.rows)
        end_index_rows(now.rows);
    end_pages(now.pages);
    ::table_close(table, NoLock);
    return now.rows_found;
}

} // namespace

Oid create_unfilled_index(Oid table, const char *statement) {
    return call([=] {
        ::LockRelationOid(table, ShareLock);
        RawStmt *raw = linitial_node(RawStmt, ::raw_parser(statement, RAW_PARSE_DEFAULT));
        IndexStmt *index = ::transformIndexStmt(table, castNode(IndexStmt, raw->stmt), statement);
#if PG_VERSION_NUM >= 160000
        const ObjectAddress made =
            ::DefineIndex(table, index, InvalidOid, InvalidOid, InvalidOid, -1, false, true, true, true, false);
#else
        const ObjectAddress made =
            ::DefineIndex(table, index, InvalidOid, InvalidOid, InvalidOid, false, true, true, true, false);
#endif
        ::CommandCounterIncrement();
        return made.objectId;
    });
}

std::int64_t fill_indexes(Oid table, const Oid *indexes, int count, std::size_t memory) {
    return call([=] {
        ::PushActiveSnapshot(::GetTransactionSnapshot());
        const std::int64_t rows = fill_all(table, indexes, count, memory);
        ::PopActiveSnapshot();
        return rows;
    });
}

} // namespace etl::pg
