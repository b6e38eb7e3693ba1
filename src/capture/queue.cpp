// PG regime: rows of etl.dirty, written past the executor: nobody's right, policy, trigger or default has a part in it.
#include "capture/queue.hpp"

#include "pg/row_batch.hpp"

#include <algorithm>

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"
}

namespace etl::capture {

namespace {

constexpr int first_capacity = 16;
constexpr int most_keys = 1 << 20; // 8 MB
constexpr int few_rows = 16;       // are put one by one where there is room, as those of any small statement

Relation open_queue() {
    return ::table_open(::get_relname_relid("dirty", ::get_namespace_oid("etl", false)), RowExclusiveLock);
}

// A row of the queue, of which the key is yet to be set: the first column of those that are not null.
HeapTuple form_row(Relation queue, Oid source, bool by_account) {
    Datum values[] = {Int64GetDatum(0), FullTransactionIdGetDatum(::GetTopFullTransactionId()),
                      ObjectIdGetDatum(source), BoolGetDatum(by_account)};
    bool is_null[] = {false, false, false, false};
    return ::heap_form_tuple(RelationGetDescr(queue), values, is_null);
}

void set_key(HeapTupleHeader row, std::int64_t key) {
    memcpy(reinterpret_cast<char *>(row) + row->t_hoff, &key, sizeof key);
}

void write_few(Relation queue, HeapTuple row, const std::int64_t *keys, int count) {
    for (int i = 0; i < count; i++) {
        const HeapTuple copy = ::heap_copytuple(row);
        set_key(copy->t_data, keys[i]);
        ::simple_heap_insert(queue, copy);
        ::heap_freetuple(copy);
    }
}

void write_pages(Relation queue, HeapTuple row, const std::int64_t *keys, int count) {
    constexpr int at_a_time = pg::row_batch::most_rows;
    pg::row_batch *batch = pg::begin_rows(queue, at_a_time, true);
    const std::size_t bytes = MAXALIGN(row->t_len);
    char *rows = static_cast<char *>(::palloc(bytes * at_a_time));
    for (int done = 0; done < count;) {
        char *next = rows;
        for (; done < count && pg::takes_row(batch, row->t_len); next += bytes) {
            HeapTupleHeader copy = reinterpret_cast<HeapTupleHeader>(next);
            memcpy(copy, row->t_data, row->t_len);
            set_key(copy, keys[done++]);
            pg::add_row(batch, copy, row->t_len);
        }
        pg::write_rows(batch, 0);
        pg::clear_rows(batch);
    }
    pg::end_rows(batch);
    ::pfree(rows);
}

} // namespace

changed_keys::changed_keys(const watch::registration &known, bool by_account)
    : known_(known), by_account_(by_account), wanted_(false), keys_(nullptr), count_(0), capacity_(0) {
    for (int i = 0; i < known.source_count; i++)
        wanted_ = wanted_ || (by_account ? known.sources[i].by_account : known.sources[i].by_lid);
    if (!wanted_)
        return;
    capacity_ = first_capacity;
    keys_ = static_cast<std::int64_t *>(::palloc(sizeof(std::int64_t) * first_capacity));
}

void changed_keys::make_room() {
    if (capacity_ == most_keys) {
        write();
        return;
    }
    capacity_ *= 2;
    keys_ = static_cast<std::int64_t *>(::repalloc(keys_, sizeof(std::int64_t) * static_cast<std::size_t>(capacity_)));
}

void changed_keys::write() {
    if (count_ == 0)
        return;
    if (!std::is_sorted(keys_, keys_ + count_))
        std::sort(keys_, keys_ + count_);
    const int distinct = static_cast<int>(std::unique(keys_, keys_ + count_) - keys_);
    const Relation queue = open_queue();
    for (int i = 0; i < known_.source_count; i++) {
        const watch::captured_source &one = known_.sources[i];
        if (!(by_account_ ? one.by_account : one.by_lid))
            continue;
        const HeapTuple row = form_row(queue, one.source, by_account_);
        if (distinct <= few_rows)
            write_few(queue, row, keys_, distinct);
        else
            write_pages(queue, row, keys_, distinct);
        ::heap_freetuple(row);
    }
    ::table_close(queue, NoLock);
    count_ = 0;
}

} // namespace etl::capture
