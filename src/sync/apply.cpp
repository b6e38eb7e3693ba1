// C++ regime: both sides read, and what differs written by plain statements.
#include "sync/apply.hpp"

#include "pg/identity.hpp"
#include "pg/transaction.hpp"
#include "sync/columns.hpp"
#include "sync/compare.hpp"
#include "sync/digests.hpp"
#include "sync/rate_sets.hpp"
#include "sync/write.hpp"

namespace etl::sync {

namespace {

// p.lid in the range and, where they are given, among the lids of $1.
pg::string condition_on(const selection &rows) {
    pg::string text = "p.lid IS NOT NULL";
    if (rows.range.from)
        text += pg::format(" AND p.lid >= " INT64_FORMAT, *rows.range.from);
    if (rows.range.to)
        text += pg::format(" AND p.lid < " INT64_FORMAT, *rows.range.to);
    if (rows.lids)
        text += " AND p.lid = ANY ($1)";
    return text;
}

struct texts {
    pg::string held, remove, update, insert;
};

texts texts_of(Oid view, Oid partition, const selection &rows) {
    const columns of = columns_of(view, partition);
    const pg::string table = pg::relation_name(partition, "partition");
    return {"SELECT " + list(of, "p.") + " FROM ONLY " + table + " p WHERE " + condition_on(rows),
            "DELETE FROM ONLY " + table + " p USING gone g WHERE p.lid = g.lid",
            "UPDATE ONLY " + table + " p SET (" + list(of, "") + ") = ROW(" + list(of, "f.") +
                ") FROM changed f WHERE p.lid = f.lid",
            "INSERT INTO " + table + " (" + list(of, "") + ") OVERRIDING SYSTEM VALUE SELECT " + list(of, "f.") +
                " FROM came f"};
}

// Whether two lids can have a value that only one of them may have.
bool may_conflict(Oid partition) {
    // Of an index, what it merely includes doesn't count; of a constraint that excludes, nobody knows by what.
    return !pg::query(
                "SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = $1 AND (i.indisexclusion OR i.indisunique"
                " AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND a.attname = 'lid'"
                " AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])))",
                {pg::oid(partition)})
                .empty();
}

bool is_conflict(const pg::error_report &failed) {
    const std::string_view state = failed.sqlstate;
    return state == "23505" || state == "23P01";
}

// Lids that exchange a value which only one of them may have can't be updated one after the other: then all go, and
// come anew.
differences work(comparison &wanted, const statements &how) {
    const auto once = [&] { return pg::call([&] { return compare_and_write(wanted, how); }); };
    if (!may_conflict(wanted.partition))
        return once();
    differences found{};
    const std::optional<pg::error_report> failed = pg::in_subtransaction([&] { found = once(); });
    if (!failed)
        return found;
    if (!is_conflict(*failed))
        throw error(failed->sqlstate, pg::view(failed->message), pg::view(failed->detail));
    wanted.anew = true;
    return once();
}

} // namespace

applied apply(Oid view, Oid partition, const selection &rows) {
    pg::settings_scope settings;
    settings.set("max_parallel_workers_per_gather", "0");
    settings.set("jit", "off");
    // What is written has just been read by the same index.
    settings.set("random_page_cost", "1");
    const digest_ranges ranges = digest_ranges_of(partition, rows.range);
    const texts text = texts_of(view, partition, rows);
    comparison wanted{view,
                      partition,
                      plan::bounds_of(rows.range),
                      static_cast<Datum>(0),
                      text.held.c_str(),
                      ranges.bounds.data(),
                      ranges.bounds.size(),
                      false};
    wanted.bounds.of_lids = rows.lids.has_value();
    if (rows.lids)
        wanted.lids = pg::int8_array(*rows.lids).datum;
    const statements how{text.remove.c_str(), text.update.c_str(), text.insert.c_str()};
    pg::owned_context scratch("etl apply");
    const differences found = [&] {
        pg::memory_switch to_scratch(scratch.get());
        return work(wanted, how);
    }();
    applied done{};
    done.lids = found.lids;
    if (!rows.lids) {
        done.rows = found.rows;
        done.digest = static_cast<std::int64_t>(found.digest);
    }
    std::int64_t dead = 0;
    for (std::size_t place = 0; place <= ranges.bounds.size(); place++) {
        const range_change &change = found.changes[place];
        dead += change.gone;
        adjust(ranges, place, {change.come - change.gone, change.digest});
    }
    note_dead(partition, dead);
    note_conversions(partition);
    return done;
}

} // namespace etl::sync
