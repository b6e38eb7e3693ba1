// C++ regime: which rates were used.
#include "sync/rate_sets.hpp"

#include "pg/identity.hpp"
#include "pg/lock.hpp"
#include "sync/rate_rows.hpp"

namespace etl::sync {

namespace {

bool is_kept(const function::rate_set &set) {
    return set.count == 0 ||
           !pg::query(pg::kept("SELECT FROM etl.used_rate WHERE set = $1 LIMIT 1"), {pg::int8(set.digest)}).empty();
}

} // namespace

// Waits for whoever is keeping it at this moment, since the caller is going to read it.
std::int64_t current_set() {
    const function::rate_set set = pg::call([] { return function::current_rates(); });
    pg::catalog_scope as_catalog;
    if (!is_kept(set))
        pg::call([&set] { insert_set(set); });
    return set.digest;
}

// A chunk waits for nobody: whoever is keeping the set will commit it, or what comes next finds it missing and keeps
// it.
std::optional<std::int64_t> set_in_use() {
    const function::used_rates used = pg::call([] { return function::rates_used(); });
    if (used.sets == 0)
        return std::nullopt;
    if (used.sets > 1)
        throw error("40001", "currency rates have changed while a chunk was converted", "It is done again.");
    const function::rate_set set = pg::call([] { return function::current_rates(); });
    pg::catalog_scope as_catalog;
    if (set.digest == used.digest && !is_kept(set) &&
        pg::try_lock_in_transaction({pg::lock_kind::rates, static_cast<std::uint32_t>(set.digest),
                                     static_cast<std::uint32_t>(set.digest >> 32)},
                                    pg::lock_strength::exclusive))
        pg::call([&set] { insert_set(set); });
    return used.digest;
}

void note_conversions(Oid partition) {
    const function::used_rates used = pg::call([] { return function::rates_used(); });
    if (used.sets == 0)
        return;
    pg::catalog_scope as_catalog;
    pg::execute(
        "UPDATE etl.partition SET rates = NULL WHERE relation = $1 AND (rates <> $2 OR $3 AND rates IS NOT NULL)",
        {pg::regclass(partition), pg::int8(used.digest), pg::boolean(used.sets > 1)});
}

changed_rates compare_sets(std::int64_t before, std::int64_t now) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        "SELECT s.country, s.currency, s.valid_from::text, s.until::text FROM (SELECT d.*, "
        "pg_catalog.lead(d.valid_from)"
        "  OVER (PARTITION BY d.country, d.currency ORDER BY d.valid_from) AS until"
        "  FROM (SELECT DISTINCT country, currency, valid_from FROM etl.used_rate WHERE set IN ($1, $2)) d) s"
        " LEFT JOIN LATERAL (SELECT rate FROM etl.used_rate o WHERE o.set = $1 AND o.country = s.country"
        "  AND o.currency = s.currency AND o.valid_from <= s.valid_from ORDER BY o.valid_from DESC LIMIT 1) o ON true"
        " LEFT JOIN LATERAL (SELECT rate FROM etl.used_rate n WHERE n.set = $2 AND n.country = s.country"
        "  AND n.currency = s.currency AND n.valid_from <= s.valid_from ORDER BY n.valid_from DESC LIMIT 1) n ON true"
        " WHERE o.rate IS DISTINCT FROM n.rate",
        {pg::int8(before), pg::int8(now)});
    changed_rates changed;
    for (std::size_t row = 0; row < rows.size(); row++) {
        changed.countries.push_back(rows.text(row, 0));
        changed.currencies.push_back(rows.text(row, 1));
        changed.from.push_back(rows.text(row, 2));
        changed.to.push_back(rows.optional_text(row, 3).value_or("infinity"));
    }
    return changed;
}

void forget_unused_sets() {
    pg::catalog_scope as_catalog;
    pg::execute("DELETE FROM etl.used_rate u WHERE NOT EXISTS (SELECT FROM etl.partition p WHERE p.rates = u.set)"
                " AND NOT EXISTS (SELECT FROM etl.run_portal p JOIN etl.run r USING (run_id) WHERE p.rates = u.set"
                "  AND r.state IN ('queued', 'running', 'paused', 'loaded'))"
                " AND NOT EXISTS (SELECT FROM etl.task t JOIN etl.run r USING (run_id) WHERE t.rates = u.set"
                "  AND r.state IN ('queued', 'running', 'paused', 'loaded'))");
}

} // namespace etl::sync
