// Boundary: a heap's file, written as the storage manager would.
#include "pg/heap_append.hpp"

#include "pg/heap_file.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/sync.h"
#include "utils/wait_event.h"
}

namespace etl::pg {

struct heap_end {
    heap_file file;
};

namespace {

char *page_at(char *pages, int number) {
    return pages + static_cast<std::size_t>(number) * BLCKSZ;
}

// A row says where it is.
void place_rows(char *start, BlockNumber block) {
    const Page page = start;
    const OffsetNumber last = PageGetMaxOffsetNumber(page);
    for (OffsetNumber i = FirstOffsetNumber; i <= last; i = OffsetNumberNext(i))
        ItemPointerSet(&reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, i)))->t_ctid, block, i);
}

// Logs the pages and returns when their log is on disk, so that no page with rows of a transaction that is forgotten,
// or torn in writing, can outlive a crash.
void log_pages(Relation heap, char *pages, int count, BlockNumber first) {
    BlockNumber *blocks = static_cast<BlockNumber *>(::palloc(sizeof(BlockNumber) * count));
    Page *list = static_cast<Page *>(::palloc(sizeof(Page) * count));
    for (int i = 0; i < count; i++) {
        blocks[i] = first + static_cast<BlockNumber>(i);
        list[i] = page_at(pages, i);
    }
    ::log_newpages(name_of_file(heap), MAIN_FORKNUM, count, blocks, list, true);
    ::XLogFlush(PageGetLSN(list[count - 1]));
    for (int i = 0; i < count; i++)
        ::PageSetChecksumInplace(list[i], blocks[i]);
    ::pfree(list);
    ::pfree(blocks);
}

void delay_checkpoints() {
    MyProc->delayChkptFlags |= DELAY_CHKPT_START;
    pg_memory_barrier();
}

void let_checkpoints_start() {
    MyProc->delayChkptFlags &= ~DELAY_CHKPT_START;
}

// Has the next checkpoint sync the file; false where that was to be done here and now, and could not.
bool request_sync(heap_end *end) {
    FileTag tag;
    memset(&tag, 0, sizeof tag);
    tag.handler = SYNC_HANDLER_MD;
    tag.forknum = MAIN_FORKNUM;
    tag.segno = end->file.segment;
#if PG_VERSION_NUM >= 160000
    tag.rlocator = *name_of_file(end->file.heap);
#else
    tag.rnode = *name_of_file(end->file.heap);
#endif
    // The queue may be full.
    return ::RegisterSyncRequest(&tag, SYNC_REQUEST, false) ||
           ::FileSync(end->file.file, WAIT_EVENT_DATA_FILE_SYNC) == 0;
}

// Appends pages that belong to one segment, of which `first` is the first block.
void append_run(heap_end *end, char *pages, int count, BlockNumber first) {
    open_segment(&end->file, first / RELSEG_SIZE);
    for (int i = 0; i < count; i++)
        place_rows(page_at(pages, i), first + static_cast<BlockNumber>(i));
    // A crash repeats the log from where the last checkpoint began. If one begins between logging and writing, it must
    // neither miss the pages nor be held up while the log goes to disk: they are logged again.
    for (;;) {
        const XLogRecPtr redo = ::GetRedoRecPtr();
        log_pages(end->file.heap, pages, count, first);
        delay_checkpoints();
        if (::GetRedoRecPtr() == redo)
            break;
        let_checkpoints_start();
    }
    // Until the delay is over nothing raises an error: asking for a sync would, where the memory for a shorter queue of
    // them lacks, but in a critical section it is refused instead.
    const int size = count * BLCKSZ;
    errno = 0;
    const bool written = ::FileWrite(end->file.file, pages, size, static_cast<off_t>(first % RELSEG_SIZE) * BLCKSZ,
                                     WAIT_EVENT_DATA_FILE_EXTEND) == size;
    const int write_error = errno == 0 ? ENOSPC : errno;
    START_CRIT_SECTION();
    const bool synced = request_sync(end);
    END_CRIT_SECTION();
    const int sync_error = errno;
    let_checkpoints_start();
    if (!synced) {
        errno = sync_error;
        ereport(::data_sync_elevel(ERROR),
                (errcode_for_file_access(), errmsg("could not fsync file \"%s\": %m", ::FilePathName(end->file.file))));
    }
    if (!written) {
        errno = write_error;
        ereport(ERROR,
                (errcode_for_file_access(), errmsg("could not extend file \"%s\": %m", ::FilePathName(end->file.file)),
                 errhint("Check free disk space.")));
    }
}

} // namespace

bool takes_pages(Relation heap) {
    return heap->rd_tableam == ::GetHeapamTableAmRoutine() &&
           heap->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT && RelationNeedsWAL(heap) &&
           !XLogLogicalInfoActive();
}

heap_end *open_heap_end(Relation heap) {
    heap_end *end = static_cast<heap_end *>(::palloc0(sizeof(heap_end)));
    begin_file(&end->file, heap);
    return end;
}

void append_pages(heap_end *end, char *pages, int count) {
    const Relation heap = end->file.heap;
    ::LockRelationForExtension(heap, ExclusiveLock);
    while (count > 0) {
        const BlockNumber first = RelationGetNumberOfBlocks(heap);
        const BlockNumber left_in_segment = RELSEG_SIZE - first % RELSEG_SIZE;
        const int now = left_in_segment < static_cast<BlockNumber>(count) ? static_cast<int>(left_in_segment) : count;
        append_run(end, pages, now, first);
        pages = page_at(pages, now);
        count -= now;
    }
    ::UnlockRelationForExtension(heap, ExclusiveLock);
}

} // namespace etl::pg
