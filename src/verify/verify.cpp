// C++ regime.
#include "verify/verify.hpp"

#include "pg/identity.hpp"
#include "sync/apply.hpp"
#include "verify/look.hpp"
#include "verify/narrow.hpp"

namespace etl::verify {

namespace {

struct orders {
    level how;
    bool repair;
};

orders read_orders(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query("SELECT level, repair FROM etl.run WHERE run_id = $1", {pg::int8(run_id)});
    return {level_of(pg::view(rows.text(0, 0))), rows.boolean(0, 1)};
}

std::optional<written> noted(const place &where) {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query("SELECT rows, digest FROM etl.digest WHERE relation = $1"
                  " AND lid_from IS NOT DISTINCT FROM $2 AND lid_to IS NOT DISTINCT FROM $3",
                  {pg::regclass(where.partition), pg::int8(where.range.from), pg::int8(where.range.to)});
    if (rows.empty())
        return std::nullopt;
    return written{rows.int8(0, 0), rows.int8(0, 1)};
}

void note(const place &where, const written &now) {
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.digest SET rows = $4, digest = $5 WHERE relation = $1"
                " AND lid_from IS NOT DISTINCT FROM $2 AND lid_to IS NOT DISTINCT FROM $3",
                {pg::regclass(where.partition), pg::int8(where.range.from), pg::int8(where.range.to),
                 pg::int8(now.rows), pg::int8(now.digest)});
}

pg::string in_words(std::int64_t rows, const std::optional<std::int64_t> &digest) {
    return digest ? pg::format(INT64_FORMAT " rows, digest " INT64_FORMAT, rows, *digest)
                  : pg::format(INT64_FORMAT " rows", rows);
}

// Every row was found to be right, but together they are not what was noted when they were written.
finding of_range(const look &seen, const written &before) {
    return {std::nullopt, std::nullopt, in_words(seen.rows, seen.digest),
            in_words(before.rows, seen.digest ? std::optional(before.digest) : std::nullopt) + " when written"};
}

// Lids whose rows differ from the view's.
struct differing {
    bool as_written; // the rows of the range as a whole: nobody else has touched them
    pg::vector<std::int64_t> all;
    pg::vector<std::int64_t> shown; // those that should not differ
};

// What has changed in the sources may differ. So may terminal rows, where nobody else has written; and where somebody
// has, and nothing but what has changed differs, it is among these.
differing find_differing(const place &where, const look &seen, const std::optional<written> &before) {
    differing found{true, differing_lids(where), {}};
    if (before) {
        const written now = seen.digest ? written{seen.rows, *seen.digest} : digest_now(where);
        found.as_written = now.rows == before->rows && now.digest == before->digest;
    }
    found.shown = without_changed(where, found.all);
    if (found.as_written)
        found.shown = without_terminal(where, found.shown);
    else if (found.shown.empty())
        found.shown = found.all;
    return found;
}

// Changes are applied by lid, so that these would stay.
void remove_rows_without_lid(Oid partition) {
    pg::execute(pg::format("DELETE FROM ONLY %s p WHERE p.lid IS NULL", pg::relation_name(partition, "partition").c_str()));
}

void look_closely(const duty &whose, const place &where, bool repair, const look &seen,
                  const std::optional<written> &before) {
    const differing found = find_differing(where, seen, before);
    if (!found.shown.empty())
        keep(whose.run_id, whose.task_no, describe(where, found.shown));
    else if (!seen.as_written)
        keep(whose.run_id, whose.task_no, {of_range(seen, *before)});
    else
        return;
    if (!repair)
        return;
    // What is noted anew is to be right as a whole.
    const pg::vector<std::int64_t> &lids = found.as_written ? found.shown : found.all;
    if (!lids.empty())
        (void)sync::apply(where.source.view, where.partition, {where.range, lids});
    if (!seen.as_written && !where.range.from)
        remove_rows_without_lid(where.partition);
    if (before)
        note(where, digest_now(where));
}

} // namespace

std::int64_t verify_range(const duty &whose, const catalog::make &make, const catalog::source &source, Oid partition,
                          const plan::lid_range &range) {
    pg::settings_scope settings;
    settings.set("max_parallel_workers_per_gather", "0");
    settings.set("jit", "off");
    const orders what = read_orders(whose.run_id);
    const place where{make, source, partition, range, sync::columns_of(source.view, partition)};
    const std::optional<written> before = noted(where);
    const look seen = look_at(where, what.how, before);
    if (!seen.as_written || !seen.as_source)
        look_closely(whose, where, what.repair, seen, before);
    if (what.how == level::count || what.how == level::source)
        keep(whose.run_id, whose.task_no, lids_of_other_portals(where));
    return seen.rows;
}

} // namespace etl::verify
