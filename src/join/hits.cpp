// PG regime: may ereport, so no local here needs a destructor.
#include "join/hits.hpp"

namespace etl::join {

namespace {

// No more rows are taken up above this; the last one may go beyond it.
constexpr std::size_t most_bytes = std::size_t{256} * 1024;
void prefetch_row(const hits &self, const pass &keys, int which) {
    constexpr std::uint32_t line = 64, most = 2048;
    const int number = keys.keys.number[which];
    const char *row = reinterpret_cast<const char *>(self.rows[number]);
    for (std::uint32_t at = 0; at < std::min(self.rows.length(number), most); at += line)
        __builtin_prefetch(row + at);
}

void copy_hit(hits &self, const pass &keys, int which) {
    const int number = keys.keys.number[which];
    hit &copy = self.list[self.count++];
    copy.length = self.rows.length(number);
    copy.row = reinterpret_cast<HeapTupleHeader>(self.copies + self.used);
    self.used += MAXALIGN(copy.length);
    copy.found = self.found[which];
    memcpy(copy.row, self.rows[number], copy.length);
    prefetch_partners(copy, keys);
}

} // namespace

void start_hits(hits &self, MemoryContext memory) {
    self.copies = static_cast<char *>(::MemoryContextAlloc(memory, most_bytes + BLCKSZ));
    self.count = self.next = self.on_page = self.taken = 0;
}

bool next_hits(hits &self, pass &keys) {
    self.used = 0;
    self.count = self.next = 0;
    do {
        while (self.taken < self.on_page && self.count < most_hits && self.used < most_bytes) {
            if (self.taken + 1 < self.on_page)
                prefetch_row(self, keys, self.taken + 1);
            copy_hit(self, keys, self.taken++);
        }
        if (self.taken < self.on_page)
            break;
        self.on_page = next_hits(keys, self.rows, self.found, self.count > 0);
        self.taken = 0;
        if (self.on_page > 0)
            prefetch_row(self, keys, 0);
    } while (self.on_page > 0);
    return self.count > 0;
}

} // namespace etl::join
