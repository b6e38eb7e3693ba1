// C++ regime: both sides read, and what differs written by plain statements.
#include "sync/apply.hpp"

#include "pg/identity.hpp"
#include "pg/transaction.hpp"
#include "sync/columns.hpp"
#include "sync/compare.hpp"
#include "sync/digests.hpp"
#include "sync/rate_sets.hpp"
#include "sync/write.hpp"

extern "C" {
#include "utils/snapmgr.h"
}

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

// Snapshots, rows and plans go with the memory that they were made in.
differences compare_and_write(const comparison &wanted, const statements &how) {
    const sides planned = plan_sides(wanted);
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    const Snapshot snapshot = ::GetActiveSnapshot();
    const differences found = compare(wanted, planned, snapshot);
    write(found, how, snapshot);
    ::PopActiveSnapshot();
    return found;
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
    differences found;
    const auto work = [&] {
        pg::memory_switch to_scratch(scratch.get());
        found = pg::call([&] { return compare_and_write(wanted, how); });
    };
    if (may_conflict(partition)) {
        // Lids that exchange a value can't be updated one after the other.
        const std::optional<pg::error_report> failed = pg::in_subtransaction(work);
        if (failed && std::string_view(failed->sqlstate) != "23505" && std::string_view(failed->sqlstate) != "23P01")
            throw error(failed->sqlstate, pg::view(failed->message), pg::view(failed->detail));
        wanted.anew = failed.has_value();
        if (wanted.anew)
            work();
    } else {
        work();
    }
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
