// PG regime: may ereport, so no local here needs a destructor.
#include "join/pass.hpp"

#include "settings.hpp"

extern "C" {
#include "executor/executor.h"
#include "utils/lsyscache.h"
}

#include <algorithm>

namespace etl::join {

namespace {

[[noreturn]] void report_twice(const relation &self, std::int64_t key) {
    ereport(ERROR, errcode(ERRCODE_INDEX_CORRUPTED),
            errmsg("table \"%s\" has two rows with key " INT64_FORMAT, RelationGetRelationName(self.heap), key),
            errdetail("Its unique index \"%s\" should not allow that.", ::get_rel_name(self.part->index)),
            errhint("Find the rows and build the index anew."));
    pg_unreachable();
}

// Leaves those of the page's keys that are in the map, and their partners beside, on their way to the cache.
void find_partners(pass &self, partners **found) {
    page_keys &keys = self.keys;
    for (int i = 0; i < keys.count; i++)
        self.gathered.map.prefetch(keys.key[i]);
    int hits = 0;
    for (int i = 0; i < keys.count; i++) {
        partners *all = static_cast<partners *>(self.gathered.map.find(keys.key[i]));
        if (!all)
            continue;
        __builtin_prefetch(all);
        found[hits] = all;
        keys.number[hits] = keys.number[i];
        keys.key[hits++] = keys.key[i];
    }
    keys.count = hits;
}

void gather_build(pass &self, const pg::page_rows &rows) {
    relation &build = self.relations[0];
    const std::size_t size = sizeof(partners) + sizeof(HeapTupleHeader) * static_cast<std::size_t>(self.count - 1);
    for (int i = 0; i < self.keys.count; i++)
        self.gathered.map.prefetch(self.keys.key[i]);
    for (int i = 0; i < self.keys.count; i++) {
        const int number = self.keys.number[i];
        const bool wanted = passes(build, rows[number], self.scan);
        ResetExprContext(self.scan->ss.ps.ps_ExprContext);
        if (!wanted)
            continue;
        if (self.gathered.map.find(self.keys.key[i]))
            report_twice(build, self.keys.key[i]);
        partners *made = static_cast<partners *>(take(self.gathered.memory, size));
        memset(made, 0, size);
        made->matched = 1;
        made->rows[0] = keep_row(self.gathered, rows[number], rows.length(number));
        add(self.gathered, self.keys.key[i], made);
    }
}

void gather_probe(pass &self, int place, int inner_before, const pg::page_rows &rows) {
    relation &probe = self.relations[place];
    partners *all[pg::most_page_rows];
    find_partners(self, all);
    for (int i = 0; i < self.keys.count; i++) {
        partners *found = all[i];
        if (found->matched < inner_before)
            continue;
        if (found->rows[place])
            report_twice(probe, self.keys.key[i]);
        const int number = self.keys.number[i];
        const bool wanted = passes(probe, rows[number], self.scan);
        ResetExprContext(self.scan->ss.ps.ps_ExprContext);
        if (!wanted)
            continue;
        found->rows[place] = keep_row(self.gathered, rows[number], rows.length(number));
        if (!probe.part->optional)
            found->matched++;
    }
}

// The part of the pass that the relation's own conditions leave.
struct range {
    std::int64_t low, high;
};
range range_of(const pass &self, const relation &read) {
    return {std::max(self.low, read.part->low), std::min(self.high, read.part->high)};
}

// Those of the list that are in the range.
pg::key_list part_of_list(const pass &self, const range &keys) {
    const std::int64_t *end = self.list.keys + self.list.count;
    const std::int64_t *first = std::lower_bound(self.list.keys, end, keys.low);
    return {first, static_cast<int>(std::upper_bound(first, end, keys.high) - first)};
}

// Where keys are listed, rows have changed, and their pages are mostly such as nobody has read since: they are left as
// they are.
void begin(page_walk &walk, const pass &self, const relation &read) {
    const range keys = range_of(self, read);
    const bool whole = read.part->whole && self.is_first && self.high == self.last;
    const Snapshot snapshot = self.scan->ss.ps.state->es_snapshot;
    if (self.has_list && !whole)
        begin_walk(walk, read, part_of_list(self, keys), snapshot);
    else
        begin_walk(walk, read, keys.low, keys.high, whole, snapshot);
    walk.pages.is_quiet = self.has_list;
}

// Leaves those of the page's keys that are asked for.
void keep_listed(const pass &self, page_keys &keys) {
    int kept = 0;
    for (int i = 0; i < keys.count; i++) {
        if (!std::binary_search(self.list.keys, self.list.keys + self.list.count, keys.key[i]))
            continue;
        keys.number[kept] = keys.number[i];
        keys.key[kept++] = keys.key[i];
    }
    keys.count = kept;
}

bool is_over_limit(const pass &self) {
    return memory_of(self.gathered) > static_cast<std::size_t>(join_memory) * 1024 && self.gathered.map.size() > 1;
}

// False if there are more rows than the memory is to hold.
bool gather_relation(pass &self, int place, int inner_before) {
    relation &read = self.relations[place];
    const range keys = range_of(self, read);
    if (keys.low > keys.high)
        return true;
    page_walk walk;
    begin(walk, self, read);
    pg::page_rows rows;
    bool fits = true;
    while (fits && next_page(walk, rows)) {
        read_keys(read, rows, keys.low, keys.high, self.keys);
        // All others are looked for among those.
        if (place == 0 && self.has_list)
            keep_listed(self, self.keys);
        if (place == 0)
            gather_build(self, rows);
        else
            gather_probe(self, place, inner_before, rows);
        fits = !is_over_limit(self);
    }
    end_walk(walk);
    return fits;
}

bool gather(pass &self) {
    reset(self.gathered);
    int inner = 0;
    for (int place = 0; place < self.count - 1; place++) {
        if (!gather_relation(self, place, inner))
            return false;
        inner += self.relations[place].part->optional ? 0 : 1;
    }
    self.inner = inner;
    return true;
}

std::int64_t plus(std::int64_t key, std::uint64_t width) {
    const std::uint64_t room = static_cast<std::uint64_t>(PG_INT64_MAX) - static_cast<std::uint64_t>(key);
    return width >= room ? PG_INT64_MAX : static_cast<std::int64_t>(static_cast<std::uint64_t>(key) + width);
}

void begin_pass(pass &self) {
    while (!gather(self)) {
        self.most_memory = std::max(self.most_memory, memory_of(self.gathered));
        // The keys below the middle are taken first, and the next passes are as wide.
        const key_sample sample = sample_keys(self.gathered);
        self.high = sample.median;
        self.width = static_cast<std::uint64_t>(sample.median) - static_cast<std::uint64_t>(sample.least);
    }
    self.passes++;
    self.most_memory = std::max(self.most_memory, memory_of(self.gathered));
    const relation &drive = self.relations[self.count - 1];
    self.is_open = self.gathered.map.size() > 0 && range_of(self, drive).low <= range_of(self, drive).high;
    if (self.is_open)
        begin(self.walk, self, drive);
}

void end_pass(pass &self) {
    if (self.is_open)
        end_walk(self.walk);
    self.is_open = false;
}

bool go_on(pass &self) {
    if (self.high == self.last)
        return false;
    if (memory_of(self.gathered) < static_cast<std::size_t>(join_memory) * 1024 / 2 && self.width < PG_UINT64_MAX / 2)
        self.width = self.width * 2 + 1;
    self.low = self.high + 1;
    self.high = std::min(plus(self.low, self.width), self.last);
    self.is_first = false;
    begin_pass(self);
    return true;
}

} // namespace

void start_passes(pass &self) {
    // An output row's key is in the ranges of all inner relations.
    self.low = PG_INT64_MIN;
    self.last = PG_INT64_MAX;
    for (int i = 0; i < self.count; i++) {
        const member &part = *self.relations[i].part;
        if (part.optional)
            continue;
        self.low = std::max(self.low, part.low);
        self.last = std::min(self.last, part.high);
    }
    if (self.has_list && self.list.count == 0) {
        self.low = PG_INT64_MAX;
        self.last = PG_INT64_MIN;
    } else if (self.has_list) {
        self.low = std::max(self.low, self.list.keys[0]);
        self.last = std::min(self.last, self.list.keys[self.list.count - 1]);
    }
    self.high = self.last;
    self.width = PG_UINT64_MAX;
    self.is_first = true;
    self.is_open = false;
    self.passes = 0;
    self.most_memory = 0;
    if (self.low <= self.last)
        begin_pass(self);
}

int next_hits(pass &self, pg::page_rows &rows, partners **found, bool within_pass) {
    relation &drive = self.relations[self.count - 1];
    do {
        while (self.is_open && next_page(self.walk, rows)) {
            const range keys = range_of(self, drive);
            read_keys(drive, rows, keys.low, keys.high, self.keys);
            find_partners(self, found);
            int hits = 0;
            for (int i = 0; i < self.keys.count; i++) {
                if (found[i]->matched < self.inner)
                    continue;
                found[hits] = found[i];
                self.keys.number[hits++] = self.keys.number[i];
            }
            if (hits > 0)
                return hits;
        }
        end_pass(self);
    } while (!within_pass && self.low <= self.last && go_on(self));
    return 0;
}

void stop_passes(pass &self) {
    end_pass(self);
}

} // namespace etl::join
