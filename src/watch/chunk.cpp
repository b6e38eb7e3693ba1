// C++ regime: folding a range of a log that is watched, while writers are at work.
#include "fold/fold.hpp"
#include "fold/statement.hpp"
#include "pg/identity.hpp"
#include "pg/lock.hpp"
#include "pg/transaction.hpp"
#include "watch/apply.hpp"
#include "watch/beside.hpp"
#include "watch/watch.hpp"

#include <cstring>
#include <limits>

namespace etl::watch {

namespace {

// Lids of the range that were emptied while the chunk was at work; so many from the lowest on.
pg::vector<std::int64_t> emptied(Oid state, const plan::lid_range &range) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(pg::format("SELECT DISTINCT lid FROM etl.price_removal WHERE price_state = $1"
                                                 " AND %s ORDER BY lid LIMIT 10000",
                                                 fold::range_condition("lid", range).c_str()),
                                      {pg::oid(state)});
    pg::vector<std::int64_t> lids(rows.size());
    for (std::size_t row = 0; row < rows.size(); row++)
        lids[row] = rows.int8(row, 0);
    return lids;
}

// Those of them whose rows this chunk has written; the others were equal, absent, or folded anew under their lock.
pg::vector<std::int64_t> written_here(Oid state, const pg::vector<std::int64_t> &lids) {
    pg::string list;
    for (const std::int64_t lid : lids)
        list += pg::format("%s%lld", list.empty() ? "" : ",", static_cast<long long>(lid));
    const pg::result rows =
        pg::query(pg::format("SELECT lid FROM %s WHERE lid = ANY ('{%s}'::pg_catalog.int8[])"
                             " AND xmin = '%u'::pg_catalog.xid ORDER BY lid",
                             pg::relation_name(state, "price state").c_str(), list.c_str(), pg::current_transaction()));
    pg::vector<std::int64_t> own(rows.size());
    for (std::size_t row = 0; row < rows.size(); row++)
        own[row] = rows.int8(row, 0);
    return own;
}

// The chunk may have inserted rows for lids that were emptied after its snapshot. It holds these rows, so it waits for
// nobody.
std::int64_t fold_emptied(const catalog::portal &portal, plan::lid_range rest) {
    std::int64_t written = 0;
    for (;;) {
        const pg::vector<std::int64_t> lids = emptied(portal.price_state, rest);
        if (lids.empty())
            return written;
        const pg::vector<std::int64_t> own = written_here(portal.price_state, lids);
        if (!own.empty())
            written += pg::call(
                [&] { return fold_beside_writers(portal.prices, portal.price_state, own.data(), own.size()); });
        if (lids.back() == std::numeric_limits<std::int64_t>::max())
            return written;
        rest.from = lids.back() + 1;
    }
}

bool is_stuck(const pg::error_report &failed) {
    return std::strcmp(failed.sqlstate, "55P03") == 0 || std::strcmp(failed.sqlstate, "40P01") == 0;
}

} // namespace

std::int64_t fold_chunk(const catalog::portal &portal, const plan::lid_range &range) {
    pg::call([&portal] { announce_fold(portal.price_state); });
    std::int64_t written = 0;
    const std::optional<pg::error_report> failed = pg::in_subtransaction([&] {
        written = fold::fold_chunk(portal.prices, portal.price_state, range, fold_beside_writers) +
                  fold_emptied(portal, range);
    });
    if (!failed)
        return written;
    // A row is held for long, or by somebody who waits for this chunk. Now that it holds none it can wait for them all,
    // and come again.
    if (is_stuck(*failed))
        pg::call([&portal] { pg::wait_for_writers(portal.price_state); });
    throw error(failed->sqlstate, pg::view(failed->message), pg::view(failed->detail));
}

} // namespace etl::watch
