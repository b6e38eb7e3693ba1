// PG regime: may ereport, so no local here needs a destructor.
#include "load/page_writer.hpp"

#include "pg/heap_append.hpp"
#include "pg/moved_row.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/xact.h"
#include "pgstat.h"
#include "storage/predicate.h"
}

namespace etl::load {

namespace {

// So many pages are logged and written at a time, 4 MB: the log goes to disk once for them all.
constexpr int most_pages = 512;

struct page_writer {
    row_writer base; // first, as callers know no more than this
    Relation target;
    pg::heap_end *end;
    char *pages; // most_pages of them, one after the other
    int used;    // pages begun; the last of them is being filled
    Size spare;  // what the table's fill factor leaves free on a page
    CommandId command;
};

page_writer *of(row_writer *base) {
    return reinterpret_cast<page_writer *>(base);
}

void write_pages(page_writer *self) {
    if (self->used == 0)
        return;
    pg::append_pages(self->end, self->pages, self->used);
    self->used = 0;
    ::CheckForSerializableConflictIn(self->target, nullptr, InvalidBlockNumber);
    CHECK_FOR_INTERRUPTS();
}

PageHeader last_page(const page_writer *self) {
    return reinterpret_cast<PageHeader>(self->pages + static_cast<std::size_t>(self->used - 1) * BLCKSZ);
}

bool has_room(const page_writer *self, Size size) {
    if (self->used == 0)
        return false;
    const PageHeader page = last_page(self);
    const Size lines = (page->pd_lower - SizeOfPageHeaderData) / sizeof(ItemIdData);
    return lines < MaxHeapTuplesPerPage &&
           size + self->spare + sizeof(ItemIdData) <= static_cast<Size>(page->pd_upper - page->pd_lower);
}

void put_row(page_writer *self, const HeapTupleData *row) {
    const Size size = MAXALIGN(row->t_len);
    if (size > MaxHeapTupleSize)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("row is too big: size %zu, maximum size %zu", size, Size{MaxHeapTupleSize})));
    if (!has_room(self, size)) {
        if (self->used == most_pages)
            write_pages(self);
        self->used++;
        ::PageInit(reinterpret_cast<Page>(last_page(self)), BLCKSZ, 0);
    }
    const PageHeader page = last_page(self);
    char *start = reinterpret_cast<char *>(page);
    page->pd_upper = static_cast<LocationIndex>(page->pd_upper - size);
    memcpy(start + page->pd_upper, row->t_data, row->t_len);
    const ItemId line = reinterpret_cast<ItemId>(start + page->pd_lower);
    ItemIdSetNormal(line, page->pd_upper, row->t_len);
    page->pd_lower = static_cast<LocationIndex>(page->pd_lower + sizeof(ItemIdData));
}

void write(row_writer *base, HeapTuple *rows, int count) {
    page_writer *self = of(base);
    for (int i = 0; i < count; i++) {
        HeapTuple row = rows[i];
        pg::mark_inserted(self->target, row, self->command);
        // Values that are large, or lie in another table, go to the TOAST table; the row is the same.
        if ((HeapTupleHasExternal(row) || row->t_len > TOAST_TUPLE_THRESHOLD) &&
            !pg::move_values(self->target, row, HEAP_INSERT_SKIP_FSM))
            row = ::heap_toast_insert_or_update(self->target, row, nullptr, HEAP_INSERT_SKIP_FSM);
        put_row(self, row);
    }
    pgstat_count_heap_insert(self->target, count);
}

void finish(row_writer *base) {
    write_pages(of(base));
}

} // namespace

row_writer *open_page_writer(Relation target) {
    page_writer *self = static_cast<page_writer *>(::palloc0(sizeof(page_writer)));
    self->base.write = write;
    self->base.finish = finish;
    self->target = target;
    self->end = pg::open_heap_end(target);
    self->pages = static_cast<char *>(::palloc(static_cast<Size>(most_pages) * BLCKSZ));
    self->spare = RelationGetTargetPageFreeSpace(target, HEAP_DEFAULT_FILLFACTOR);
    self->command = ::GetCurrentCommandId(true);
    return &self->base;
}

} // namespace etl::load
