// Boundary: how a heap grows before PostgreSQL 16.
#include "pg/new_pages.hpp"

#include "pg/heap_file.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"
}

#include <fcntl.h>

namespace etl::pg {

namespace {

constexpr int most_pages = 64; // half a megabyte
// No more are taken than this share of those that have been filled: what a short insert leaves empty is no great part.
constexpr int share = 8;

} // namespace

struct new_pages {
    heap_file file;
    BufferAccessStrategy strategy;
    Buffer taken[most_pages];
    int next, count;
    int filled; // up to most_pages / share
};

namespace {

// Makes room on the disk for pages that belong to one segment without writing them: they read as zeros. Where the
// file system can't, or lacks the room, page by page, which also tells what is wrong.
void grow(new_pages *pages, BlockNumber first, int count) {
    const Relation heap = pages->file.heap;
    BlockNumber block = first;
    const BlockNumber end = first + static_cast<BlockNumber>(count);
    // The segment itself is the storage manager's to make.
    if (count > 1 && first % RELSEG_SIZE > 0) {
        open_segment(&pages->file, first / RELSEG_SIZE);
        // FileSize() opens the file again if it was closed for want of descriptors.
        if (::FileSize(pages->file.file) >= 0 &&
            ::posix_fallocate(::FileGetRawDesc(pages->file.file), static_cast<off_t>(first % RELSEG_SIZE) * BLCKSZ,
                              static_cast<off_t>(count) * BLCKSZ) == 0)
            return;
    }
    PGAlignedBlock zeros;
    memset(zeros.data, 0, BLCKSZ);
    for (; block < end; block++)
        ::smgrextend(RelationGetSmgr(heap), MAIN_FORKNUM, block, zeros.data, false);
}

// Pinned before the heap grows: then nobody has seen the pages yet, so that they are ours to take for empty. Once it
// has grown, others find them by its end or by the free space map, and what they put there may leave the cache.
void take_pages(new_pages *pages, int wanted) {
    const Relation heap = pages->file.heap;
    pages->next = pages->count = 0;
    ::LockRelationForExtension(heap, ExclusiveLock);
    const BlockNumber first = RelationGetNumberOfBlocks(heap);
    if (first > MaxBlockNumber - most_pages)
        ereport(ERROR,
                (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("cannot extend relation \"%s\" beyond %u blocks",
                                                                 RelationGetRelationName(heap), MaxBlockNumber)));
    const int count = std::min(wanted, static_cast<int>(RELSEG_SIZE - first % RELSEG_SIZE));
    while (pages->count < count) {
        const Buffer page = ::ReadBufferExtended(heap, MAIN_FORKNUM, first + static_cast<BlockNumber>(pages->count),
                                                 RBM_ZERO_AND_LOCK, pages->strategy);
        ::LockBuffer(page, BUFFER_LOCK_UNLOCK);
        pages->taken[pages->count++] = page;
    }
    grow(pages, first, count);
    ::UnlockRelationForExtension(heap, ExclusiveLock);
}

} // namespace

new_pages *begin_new_pages(Relation heap, BufferAccessStrategy strategy) {
    if (PG_VERSION_NUM >= 160000 || heap->rd_tableam != ::GetHeapamTableAmRoutine() ||
        heap->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
        return nullptr;
    new_pages *pages = static_cast<new_pages *>(::palloc0(sizeof(new_pages)));
    begin_file(&pages->file, heap);
    pages->strategy = strategy;
    return pages;
}

void go_on_with_new_page(new_pages *pages, BulkInsertState insert, int most) {
    if (pages->next == pages->count) {
        // Pages that are pinned together must not be more than each process can have of a small cache.
        const int fair = std::clamp(NBuffers / (MaxBackends + 1), 1, most_pages);
        take_pages(pages, std::clamp(pages->filled / share, 1, std::max(std::min(most, fair), 1)));
        pages->filled = std::min(pages->filled + pages->count, most_pages * share);
    }
    if (BufferIsValid(insert->current_buf))
        ::ReleaseBuffer(insert->current_buf);
    insert->current_buf = pages->taken[pages->next++];
}

void end_new_pages(new_pages *pages) {
    if (pages->next == pages->count)
        return;
    const BlockNumber first = ::BufferGetBlockNumber(pages->taken[pages->next]);
    BlockNumber block = first;
    for (; pages->next < pages->count; pages->next++, block++) {
        ::ReleaseBuffer(pages->taken[pages->next]);
        ::RecordPageWithFreeSpace(pages->file.heap, block, BLCKSZ - SizeOfPageHeaderData);
    }
    ::FreeSpaceMapVacuumRange(pages->file.heap, first, block);
}

} // namespace etl::pg
