// PG regime: may ereport, so no local here needs a destructor.
#include "fold/pages.hpp"

#include "fold/log.hpp"
#include "fold/price_state.hpp"
#include "fold/states_by_lid.hpp"
#include "fold/write.hpp"

extern "C" {
#include "access/table.h"
#include "portability/instr_time.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::fold {

namespace {

// Holds the events of two pages, so that half of it has room for one.
constexpr std::size_t least_capacity = 2 * pg::most_page_rows;
constexpr std::size_t first_capacity = 16384;
constexpr std::size_t least_wide_bytes = std::size_t{64} * 1024;

// What one task works with. Memory belongs to `context`.
struct job : states_by_lid {
    std::size_t most_capacity;
    std::size_t most_wide_bytes;
    std::int64_t low, high; // lids of this pass
    // The events of two pages: while one is read, the states of the other come to the cache.
    event_batch batches[2];
    int current;
    bool is_pending; // the other one is still to be absorbed
    found_states found;
    // For the log: where the time goes.
    std::int64_t events, passes;
    instr_time reading, gathering, absorbing, sorting, writing;
};

// Too many lids for the memory: the upper half waits for the next pass.
void halve(job &work) {
    const std::size_t count = work.map.size(), kept = count / 2;
    const kernel::price_state *sorted = work.map.sort();
    work.high = sorted[kept - 1].lid;
    keep_states(work, sorted, kept);
}

void make_room(job &work, event_batch &batch) {
    const std::size_t wanted = static_cast<std::size_t>(batch.count);
    while (work.map.room() < wanted && work.map.capacity() < work.most_capacity)
        set_capacity(work, std::min(work.map.capacity() * 2, work.most_capacity));
    if (work.map.room() >= wanted && work.wide.bytes <= work.most_wide_bytes)
        return;
    while (work.map.room() < wanted || (work.wide.bytes > work.most_wide_bytes && work.map.size() > 1))
        halve(work);
    drop_above(batch, work.high);
}

void absorb_pending(job &work) {
    if (work.is_pending)
        absorb_found(work, work.batches[1 - work.current], work.found);
    work.is_pending = false;
}

// Absorbs what came before, and begins with the events of a page.
void take_batch(job &work) {
    absorb_pending(work);
    event_batch &batch = work.batches[work.current];
    if (batch.count == 0)
        return;
    make_room(work, batch);
    work.events += batch.count;
    find_states(work, batch, work.found);
    work.current = 1 - work.current;
    work.is_pending = true;
    // A price without a code lies in its row, which goes with the page.
    if (batch.has_wide)
        absorb_pending(work);
}

void add_time(instr_time &sum, instr_time &since) {
    instr_time now;
    INSTR_TIME_SET_CURRENT(now);
    INSTR_TIME_ACCUM_DIFF(sum, now, since);
    since = now;
}

void scan_leaf(job &work, const log_leaf &leaf, Oid index, MemoryContext page_memory) {
    row_layout layout;
    if (!find_layout(RelationGetDescr(leaf.relation), layout))
        elog(ERROR, "price log \"%s\" lacks a column", RelationGetRelationName(leaf.relation));
    const Snapshot snapshot = ::GetActiveSnapshot();
    pg::heap_pages pages;
    pg::begin_pages(pages, leaf.relation, snapshot);
    pg::index_pages *found = OidIsValid(index) ? pg::begin_index_pages(index, work.low, work.high, snapshot) : nullptr;
    if (!found)
        pg::count_as_scan(pages);
    instr_time since;
    INSTR_TIME_SET_CURRENT(since);
    for (BlockNumber next = 0;; next++) {
        const BlockNumber page = found ? pg::next_index_page(found) : next;
        if (page == InvalidBlockNumber || (!found && page >= pages.count))
            break;
        CHECK_FOR_INTERRUPTS();
        if (page >= pages.count)
            continue;
        const pg::page_rows rows = pg::read_page(pages, page);
        add_time(work.reading, since);
        const MemoryContext before = ::MemoryContextSwitchTo(page_memory);
        gather_events(layout, rows, work.low, work.high, work.batches[work.current]);
        add_time(work.gathering, since);
        take_batch(work);
        ::MemoryContextSwitchTo(before);
        ::MemoryContextReset(page_memory);
        add_time(work.absorbing, since);
    }
    absorb_pending(work);
    if (found)
        pg::end_index_pages(found);
    pg::end_pages(pages);
}

double milliseconds(const instr_time &time) {
    return INSTR_TIME_GET_MILLISEC(time);
}

std::int64_t fold_range(job &work, const price_log &log, Relation table, const other_writers &others,
                        const plan::key_bounds &bounds, Oid index) {
    const MemoryContext page_memory = AllocSetContextCreate(work.context, "etl fold page", ALLOCSET_DEFAULT_SIZES);
    const std::int64_t last = bounds.has_to ? bounds.to - 1 : PG_INT64_MAX;
    state_writer *writer = begin_writing(table, log.coding, others);
    std::int64_t rows = 0, states = 0;
    std::size_t most_memory = 0;
    for (work.low = bounds.has_from ? bounds.from : PG_INT64_MIN;; work.low = work.high + 1) {
        work.high = last;
        work.passes++;
        for (int i = 0; i < log.count; i++)
            scan_leaf(work, log.leaves[i], index, page_memory);
        most_memory = std::max(most_memory, work.map.capacity() * kernel::state_map::bytes_a_state + work.wide.bytes);
        instr_time since;
        INSTR_TIME_SET_CURRENT(since);
        const std::size_t count = work.map.size();
        const kernel::price_state *sorted = work.map.sort();
        add_time(work.sorting, since);
        rows += write_states(writer, sorted, count, work.low, work.high);
        states += static_cast<std::int64_t>(count);
        keep_states(work, sorted, 0);
        add_time(work.writing, since);
        if (work.high == last)
            break;
    }
    end_writing(writer);
    ereport(DEBUG1, (errmsg_internal("pg_etl fold: " INT64_FORMAT " events, " INT64_FORMAT " states, " INT64_FORMAT
                                     " passes, %zu kB; ms: read %.1f gather %.1f absorb %.1f sort %.1f write %.1f",
                                     work.events, states, work.passes, most_memory / 1024, milliseconds(work.reading),
                                     milliseconds(work.gathering), milliseconds(work.absorbing),
                                     milliseconds(work.sorting), milliseconds(work.writing))));
    return rows;
}

// The index that leads to a lid's events, where the log is one table; partitions may have it or not.
Oid index_of(const price_log &log) {
    return log.count == 1 ? pg::index_led_by(log.leaves[0].relation, log.leaves[0].lid) : InvalidOid;
}

} // namespace

page_access access_of(Oid prices, Oid price_state) {
    page_access access{};
    price_log log = open_log(prices);
    access.obstacle = log.obstacle;
    if (log.obstacle)
        return access;
    access.has_index = OidIsValid(index_of(log));
    close_log(log);
    if (const Relation table = open_price_state(price_state, prices, AccessShareLock, access.obstacle))
        ::table_close(table, NoLock);
    return access;
}

bool fold_pages(Oid prices, Oid price_state, const plan::key_bounds &bounds, bool by_index, fold_anew anew,
                std::size_t memory, std::int64_t &rows) {
    rows = 0;
    price_log log = open_log(prices);
    if (log.obstacle)
        return false;
    const char *obstacle;
    const Relation table = open_price_state(price_state, prices, RowExclusiveLock, obstacle);
    if (!table) {
        close_log(log);
        return false;
    }
    const bool is_empty = bounds.has_to && bounds.to == (bounds.has_from ? bounds.from : PG_INT64_MIN);
    if (!is_empty) {
        const MemoryContext own = AllocSetContextCreate(CurrentMemoryContext, "etl fold", ALLOCSET_DEFAULT_SIZES);
        const MemoryContext before = ::MemoryContextSwitchTo(own);
        const other_writers others{prices, anew, most_anew(memory)};
        if (anew)
            memory -= std::min(memory, others.most * bytes_anew);
        job *work = static_cast<job *>(::palloc0(sizeof(job)));
        work->context = own;
        work->most_wide_bytes = log.has_wide_prices ? std::max(memory / 4, least_wide_bytes) : 0;
        work->most_capacity = std::max(
            (memory - std::min(memory, work->most_wide_bytes)) / kernel::state_map::bytes_a_state - 2, least_capacity);
        work->wide = {AllocSetContextCreate(own, "etl fold wide prices", ALLOCSET_DEFAULT_SIZES), log.coding.format, 0};
        // After the locks, so that it sees what whoever held them has committed.
        ::PushActiveSnapshot(::GetTransactionSnapshot());
        set_capacity(*work, std::min(first_capacity, work->most_capacity));
        rows = fold_range(*work, log, table, others, bounds, by_index ? index_of(log) : InvalidOid);
        ::PopActiveSnapshot();
        ::MemoryContextSwitchTo(before);
        ::MemoryContextDelete(own);
    }
    ::table_close(table, NoLock);
    close_log(log);
    // What comes next in this transaction sees the rows.
    ::CommandCounterIncrement();
    return true;
}

} // namespace etl::fold
