// C++ regime: folding a range, past the executor where that can be.
#include "fold/fold.hpp"

#include "fold/emptied.hpp"
#include "fold/pages.hpp"
#include "fold/statement.hpp"
#include "pg/identity.hpp"
#include "pg/spi.hpp"
#include "settings.hpp"

namespace etl::fold {

namespace {

// A row that a concurrent transaction inserted is no fault of the log's: the next try sees it.
[[noreturn]] void raise_again(const pg::error &failed) {
    if (failed.data()->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
        throw failed;
    throw error("40001", "another transaction wrote to the price state while it was folded", failed.what());
}

std::optional<std::int64_t> try_pages(Oid prices, Oid price_state, const plan::lid_range &range, bool by_index,
                                      fold_anew anew) {
    const plan::key_bounds bounds = plan::bounds_of(range);
    const std::size_t memory = static_cast<std::size_t>(fold_memory) * 1024;
    std::int64_t rows = 0;
    try {
        const bool done =
            pg::call([&] { return fold_pages(prices, price_state, bounds, by_index, anew, memory, rows); });
        return done ? std::optional(rows) : std::nullopt;
    } catch (const pg::error &failed) {
        raise_again(failed);
    }
}

// By SQL no row is written here: missing ones are folded anew as well.
std::int64_t fold_different(Oid prices, Oid price_state, const plan::lid_range &range, fold_anew anew) {
    const pg::result rows = pg::query(different_lids(prices, price_state, range));
    pg::vector<std::int64_t> lids(rows.size());
    for (std::size_t row = 0; row < rows.size(); row++)
        lids[row] = rows.int8(row, 0);
    const std::size_t most = most_anew(static_cast<std::size_t>(fold_memory) * 1024);
    std::int64_t written = 0;
    for (std::size_t done = 0; done < lids.size(); done += most)
        written +=
            pg::call([&] { return anew(prices, price_state, lids.data() + done, std::min(most, lids.size() - done)); });
    return written;
}

} // namespace

std::int64_t fold_chunk(Oid prices, Oid price_state, const plan::lid_range &range, fold_anew anew) {
    const reading how = choose_reading(prices, price_state);
    if (how.way != way_to_read::statement)
        if (const auto rows = try_pages(prices, price_state, range, how.way == way_to_read::index, anew))
            return *rows;
    pg::settings_scope settings;
    settings.set("max_parallel_workers_per_gather", "0");
    settings.set("jit", "off");
    if (anew)
        return fold_different(prices, price_state, range, anew);
    const pg::result done = pg::query(fold_statement(prices, price_state, range));
    if (const auto emptied = done.optional_int8_array(0, 1))
        pg::call([&] { record_emptied(price_state, emptied->data(), emptied->size()); });
    return done.int8(0, 0);
}

} // namespace etl::fold
