// Boundary: one row to the heap, past the toaster. PostgreSQL 16 asks for pages by many.
#include "pg/moved_row.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/hio.h"
#include "access/heapam_xlog.h"
#include "access/heaptoast.h"
#include "access/toast_internals.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "access/xloginsert.h"
#include "catalog/catalog.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
}

namespace etl::pg {

namespace {

constexpr int most_moved = 16;

// Values of a row that are to be moved: pointers in the row itself.
struct moves {
    int count;
    char *pointers[most_moved];
};

// Whether the value would not stay in the row in any case.
bool is_long(const char *value, std::size_t limit) {
    varatt_external pointer;
    VARATT_EXTERNAL_GET_POINTER(pointer, value);
    return static_cast<std::size_t>(VARATT_EXTERNAL_GET_EXTSIZE(pointer)) + VARHDRSZ > limit;
}

bool can_move(const FormData_pg_attribute *column, const char *value, std::size_t limit) {
    return VARATT_IS_EXTERNAL_ONDISK(value) && is_long(value, limit) &&
           (column->attstorage == TYPSTORAGE_EXTENDED || column->attstorage == TYPSTORAGE_EXTERNAL);
}

// False if the row has a value that is not to be moved as it is.
bool find_moves(Relation target, HeapTuple row, moves &found) {
    const TupleDesc columns = RelationGetDescr(target);
    const std::size_t limit =
        static_cast<std::size_t>(RelationGetToastTupleTarget(target, TOAST_TUPLE_TARGET)) - row->t_data->t_hoff;
    Datum values[MaxHeapAttributeNumber];
    bool nulls[MaxHeapAttributeNumber];
    ::heap_deform_tuple(row, columns, values, nulls);
    for (int i = 0; i < columns->natts; i++) {
        const FormData_pg_attribute *column = TupleDescAttr(columns, i);
        if (nulls[i] || column->attlen != -1)
            continue;
        char *value = DatumGetPointer(values[i]);
        if (!VARATT_IS_EXTERNAL(value))
            continue;
        if (found.count == most_moved || !can_move(column, value, limit))
            return false;
        found.pointers[found.count++] = value;
    }
    return found.count > 0;
}

Buffer find_page(Relation target, std::size_t length, int options, BulkInsertState bulk, Buffer &visibility) {
#if PG_VERSION_NUM < 160000
    return ::RelationGetBufferForTuple(target, length, InvalidBuffer, options, bulk, &visibility, nullptr);
#else
    return ::RelationGetBufferForTuple(target, length, InvalidBuffer, options, bulk, &visibility, nullptr, 0);
#endif
}

XLogRecPtr log_insert(Relation target, HeapTuple row, Buffer buffer, bool cleared) {
    const HeapTupleHeader data = row->t_data;
    const OffsetNumber place = ItemPointerGetOffsetNumber(&row->t_self);
    const bool is_first =
        place == FirstOffsetNumber && PageGetMaxOffsetNumber(BufferGetPage(buffer)) == FirstOffsetNumber;
    const bool is_decoded = RelationIsLogicallyLogged(target);
    xl_heap_insert insert{};
    insert.offnum = place;
    insert.flags = static_cast<uint8>((cleared ? XLH_INSERT_ALL_VISIBLE_CLEARED : 0) |
                                      (is_decoded ? XLH_INSERT_CONTAINS_NEW_TUPLE : 0));
    xl_heap_header header{};
    header.t_infomask2 = data->t_infomask2;
    header.t_infomask = data->t_infomask;
    header.t_hoff = data->t_hoff;
    ::XLogBeginInsert();
    ::XLogRegisterData(reinterpret_cast<char *>(&insert), SizeOfHeapInsert);
    ::XLogRegisterBuffer(0, buffer,
                         static_cast<uint8>(REGBUF_STANDARD | (is_first ? REGBUF_WILL_INIT : 0) |
                                            (is_decoded ? REGBUF_KEEP_DATA : 0)));
    ::XLogRegisterBufData(0, reinterpret_cast<char *>(&header), SizeOfHeapHeader);
    ::XLogRegisterBufData(0, reinterpret_cast<char *>(data) + SizeofHeapTupleHeader, row->t_len - SizeofHeapTupleHeader);
    ::XLogSetRecordFlags(XLOG_INCLUDE_ORIGIN);
    return ::XLogInsert(RM_HEAP_ID, static_cast<uint8>(XLOG_HEAP_INSERT | (is_first ? XLOG_HEAP_INIT_PAGE : 0)));
}

} // namespace

bool move_values(Relation target, HeapTuple row, int options) {
    moves found{};
    if (!HeapTupleHasExternal(row) || !OidIsValid(target->rd_rel->reltoastrelid) ||
        row->t_len > static_cast<std::uint32_t>(RelationGetToastTupleTarget(target, TOAST_TUPLE_TARGET)) ||
        RelationIsAccessibleInLogicalDecoding(target) || !find_moves(target, row, found))
        return false;
    for (int i = 0; i < found.count; i++) {
        varlena *stored = ::detoast_external_attr(reinterpret_cast<varlena *>(found.pointers[i]));
        const Datum copy = ::toast_save_datum(target, PointerGetDatum(stored), nullptr, options);
        memcpy(found.pointers[i], DatumGetPointer(copy), VARSIZE_EXTERNAL(DatumGetPointer(copy)));
        ::pfree(stored);
        ::pfree(DatumGetPointer(copy));
    }
    return true;
}

void mark_inserted(Relation target, HeapTuple row, CommandId command) {
    const HeapTupleHeader data = row->t_data;
    data->t_infomask = static_cast<uint16>((data->t_infomask & ~HEAP_XACT_MASK) | HEAP_XMAX_INVALID);
    data->t_infomask2 = static_cast<uint16>(data->t_infomask2 & ~HEAP2_XACT_MASK);
    HeapTupleHeaderSetXmin(data, ::GetCurrentTransactionId());
    HeapTupleHeaderSetCmin(data, command);
    HeapTupleHeaderSetXmax(data, InvalidTransactionId);
    row->t_tableOid = RelationGetRelid(target);
}

void insert_moved_row(Relation target, HeapTuple row, CommandId command, int options, BulkInsertState bulk) {
    mark_inserted(target, row, command);
    Buffer visibility = InvalidBuffer;
    const Buffer buffer = find_page(target, row->t_len, options, bulk, visibility);
    ::CheckForSerializableConflictIn(target, nullptr, InvalidBlockNumber);

    START_CRIT_SECTION();
    ::RelationPutHeapTuple(target, buffer, row, false);
    const Page page = BufferGetPage(buffer);
    const bool cleared = PageIsAllVisible(page);
    if (cleared) {
        PageClearAllVisible(page);
        ::visibilitymap_clear(target, ItemPointerGetBlockNumber(&row->t_self), visibility, VISIBILITYMAP_VALID_BITS);
    }
    ::MarkBufferDirty(buffer);
    if (RelationNeedsWAL(target)) {
        const XLogRecPtr logged = log_insert(target, row, buffer, cleared); // PageSetLSN takes its argument twice
        PageSetLSN(page, logged);
    }
    END_CRIT_SECTION();

    ::UnlockReleaseBuffer(buffer);
    if (BufferIsValid(visibility))
        ::ReleaseBuffer(visibility);
    pgstat_count_heap_insert(target, 1);
}

} // namespace etl::pg
