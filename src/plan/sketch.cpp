// C++ regime.
#include "plan/sketch.hpp"

#include "pg/spi.hpp"

#include <cstdlib>

namespace etl::plan {

namespace {

// Bounds of a sketch: chunks come out equal to within about a hundredth of the relation.
constexpr int bounds = 200;
// Pages that a sample reads at most: 4 MB, a few milliseconds.
constexpr std::int64_t sampled_pages = 512;
// Statistics count as recent while the relation has grown or shrunk by no more than this.
constexpr double tolerated_growth = 0.1;

struct size_of_relation {
    pg::string kind;
    double rows;  // as last analysed or vacuumed; negative if never
    double pages; // as then
    double pages_now;
};

double number(const pg::string &text) {
    return std::strtod(text.c_str(), nullptr);
}

size_of_relation measure(Oid relation) {
    // The rows of a partitioned table are counted when it is analysed as a whole, its pages never.
    const pg::result found = pg::query(
        "SELECT c.relkind::text, c.reltuples::text, t.pages::text, t.pages_now::text FROM pg_catalog.pg_class c"
        " CROSS JOIN LATERAL (SELECT coalesce(sum(l.relpages), 0) AS pages,"
        " coalesce(sum(pg_relation_size(l.oid) / current_setting('block_size')::int8), 0) AS pages_now"
        " FROM pg_catalog.pg_class l WHERE l.relkind IN ('r', 'm') AND (l.oid = c.oid OR c.relkind = 'p' AND l.oid IN"
        " (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)))) t WHERE c.oid = $1",
        {pg::oid(relation)});
    if (found.empty())
        throw error("42P01", pg::view(pg::format("relation with OID %u does not exist", relation)), {},
                    "Run etl_refresh_make, or drop the definition and add it anew.");
    return {found.text(0, 0), number(found.text(0, 1)), number(found.text(0, 2)), number(found.text(0, 3))};
}

struct key_ends {
    std::int64_t least;
    std::int64_t greatest;
};

// Where an index tells them at once.
std::optional<key_ends> ends_of(Oid relation) {
    const pg::result index =
        pg::query("SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid"
                  " AND a.attnum = i.indkey[0] AND a.attname = 'lid' JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
                  " JOIN pg_catalog.pg_am m ON m.oid = c.relam WHERE i.indrelid = $1 AND m.amname = 'btree'"
                  " AND i.indisvalid AND i.indpred IS NULL LIMIT 1",
                  {pg::oid(relation)});
    if (index.empty())
        return std::nullopt;
    const pg::result ends =
        pg::query(pg::format("SELECT min(lid)::int8, max(lid)::int8 FROM %s", pg::relation_name(relation).c_str()));
    if (ends.is_null(0, 0))
        return std::nullopt;
    return key_ends{ends.int8(0, 0), ends.int8(0, 1)};
}

// Lets a histogram begin and end where the relation does now; false where that is too far off to believe the rest.
bool reach(sketch &histogram, const key_ends &ends) {
    std::int64_t &first = histogram.bounds.front(), &last = histogram.bounds.back();
    const double width = static_cast<double>(last) - static_cast<double>(first);
    const double outside = std::max(static_cast<double>(ends.greatest) - static_cast<double>(last), 0.0) +
                           std::max(static_cast<double>(first) - static_cast<double>(ends.least), 0.0);
    if (outside > width / static_cast<double>(histogram.bounds.size()))
        return false;
    first = std::min(first, ends.least);
    last = std::max(last, ends.greatest);
    return true;
}

// The sketch that ANALYZE left, if the relation is about as large as it was then.
std::optional<sketch> from_statistics(Oid relation, const size_of_relation &size) {
    const bool is_foreign = size.kind == "f";
    if (size.rows <= 0 || (!is_foreign && size.pages_now > size.pages * (1 + tolerated_growth)) ||
        (!is_foreign && size.pages_now < size.pages * (1 - tolerated_growth)))
        return std::nullopt;
    const pg::result found = pg::query(
        "SELECT 'h', b, NULL FROM pg_catalog.pg_stats s, pg_catalog.pg_class c, pg_catalog.pg_namespace n,"
        " unnest(s.histogram_bounds::text::text[]) b WHERE c.oid = $1 AND n.oid = c.relnamespace"
        " AND s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'lid'"
        " AND s.inherited = (c.relkind = 'p')"
        " UNION ALL SELECT 'f', v.b, v.f::text FROM pg_catalog.pg_stats s, pg_catalog.pg_class c,"
        " pg_catalog.pg_namespace n, unnest(s.most_common_vals::text::text[], s.most_common_freqs) v(b, f)"
        " WHERE c.oid = $1 AND n.oid = c.relnamespace AND s.schemaname = n.nspname AND s.tablename = c.relname"
        " AND s.attname = 'lid' AND s.inherited = (c.relkind = 'p')",
        {pg::oid(relation)});
    if (found.empty())
        return std::nullopt;
    const double rows = size.pages > 0 ? size.rows * size.pages_now / size.pages : size.rows;
    sketch histogram;
    std::vector<std::int64_t> frequent;
    std::vector<double> frequent_rows;
    double left = rows;
    for (std::size_t row = 0; row < found.size(); row++) {
        const std::int64_t lid = found.int8(row, 1);
        if (found.text(row, 0) == "h") {
            histogram.bounds.push_back(lid);
            continue;
        }
        frequent.push_back(lid);
        frequent_rows.push_back(rows * number(found.text(row, 2)));
        left -= frequent_rows.back();
    }
    if (histogram.bounds.empty())
        return merge_frequent({}, std::move(frequent), std::move(frequent_rows), bounds + 1);
    if (const std::optional<key_ends> ends = ends_of(relation); ends && !reach(histogram, *ends))
        return std::nullopt;
    histogram.rows = std::max(left, 0.0);
    if (frequent.empty())
        return histogram;
    return merge_frequent(histogram, std::move(frequent), std::move(frequent_rows), bounds + 1);
}

// The sketch of a sample, or of all there is.
sketch from_rows(Oid relation, const size_of_relation &size) {
    const bool has_pages = size.kind == "r" || size.kind == "m" || size.kind == "p";
    const double share =
        has_pages && size.pages_now > sampled_pages ? static_cast<double>(sampled_pages) / size.pages_now : 1;
    const pg::string name = pg::relation_name(relation);
    const pg::string sample =
        share < 1 ? pg::format(" TABLESAMPLE SYSTEM (%.9g) REPEATABLE (0)", share * 100) : pg::string();
    const pg::result found = pg::query(
        pg::format("SELECT q.rows, b FROM (SELECT count(*) AS rows, percentile_disc((SELECT array_agg(i / %d.0::float8"
                   " ORDER BY i) FROM generate_series(0, %d) i)) WITHIN GROUP (ORDER BY lid::int8) AS bounds"
                   " FROM %s%s WHERE lid IS NOT NULL) q, unnest(q.bounds) b ORDER BY b",
                   bounds, bounds, name.c_str(), sample.c_str()));
    sketch sampled;
    for (std::size_t row = 0; row < found.size(); row++) {
        sampled.rows = static_cast<double>(found.int8(row, 0)) / share;
        sampled.bounds.push_back(found.int8(row, 1));
    }
    return sampled;
}

} // namespace

sketch sketch_of(Oid relation) {
    const size_of_relation size = measure(relation);
    if (std::optional<sketch> analysed = from_statistics(relation, size))
        return *std::move(analysed);
    return from_rows(relation, size);
}

bool may_sketch(Oid relation) {
    const pg::result found = pg::query(
        "SELECT has_column_privilege(c.oid, a.attnum, 'SELECT') AND has_schema_privilege(c.relnamespace, 'USAGE')"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'lid'"
        " AND NOT a.attisdropped WHERE c.oid = $1",
        {pg::oid(relation)});
    return !found.empty() && !found.is_null(0, 0) && found.boolean(0, 0);
}

} // namespace etl::plan
