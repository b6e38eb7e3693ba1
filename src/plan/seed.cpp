// C++ regime: the tasks of a seed.
#include "plan/plan.hpp"

#include "catalog/trust.hpp"
#include "mart/mart.hpp"
#include "plan/pieces.hpp"
#include "plan/sketch.hpp"
#include "plan/source.hpp"
#include "plan/tasks.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cmath>

namespace etl::plan {

namespace {

// Rows a second that a worker may write at best: what is planned can be cut while the run learns its pace, not joined.
constexpr double best_pace = 200000;
constexpr double pieces_a_chunk = 256, least_piece = 50;

// The largest chunk that the target allows.
double rows_for_a_chunk() {
    return std::clamp(best_pace * chunk_target / 1000.0, 1000.0, 1000000.0);
}

// Sketches of the listings of all portals, since the mapping has rows of all. Portals may share a relation. Other
// portals than the make's may be anybody's.
struct known_listing {
    Oid relation;
    sketch lids;
};

std::vector<known_listing> sketch_listings(const pg::vector<catalog::portal> &portals,
                                           const pg::vector<catalog::source> &sources, const catalog::make &make) {
    std::vector<known_listing> listings;
    for (const catalog::portal &portal : portals) {
        const bool known = std::any_of(listings.begin(), listings.end(), [&portal](const known_listing &listing) {
            return listing.relation == portal.listing;
        });
        const bool own = std::any_of(sources.begin(), sources.end(), [&portal](const catalog::source &source) {
            return source.portal == portal.name;
        });
        if (!known && (own || catalog::trusts(make, portal)) && may_sketch(portal.listing))
            listings.push_back({portal.listing, sketch_of(portal.listing)});
    }
    return listings;
}

void add_loads(pg::vector<planned_task> &tasks, const catalog::make &make, const catalog::source &source,
               const portal_ranges &ranges, bool with_sql) {
    const chunk_outlook chunk = look_at_chunk(source.view, make.mart);
    for (const divisible_range &range : ranges) {
        planned_task task = task_of(phase::load, "load", source.portal);
        task.range = {range.whole.from, range.whole.to};
        task.cuts.assign(range.cuts.begin(), range.cuts.end());
        task.estimated_rows = round_rows(range.whole.rows);
        task.estimated_bytes = round_rows(range.whole.rows * chunk.row_width);
        if (with_sql)
            task.sql = pg::format("/* load, %s */ ", chunk.join.c_str()) + source_sql(source.view, make.mart, task.range);
        tasks.push_back(std::move(task));
    }
}

} // namespace

std::vector<portal_ranges> cut_loads(const catalog::make &make, const pg::vector<catalog::source> &sources,
                                     int workers, std::optional<std::int64_t> chunk_rows) {
    const pg::vector<catalog::portal> portals = catalog::all_portals();
    const std::vector<known_listing> listings = sketch_listings(portals, sources, make);
    const sketch mapping = sketch_of(make.mapping);
    const double largest = rows_for_a_chunk();
    const double each = chunk_rows ? static_cast<double>(*chunk_rows) : std::max(largest / pieces_a_chunk, least_piece);
    std::vector<std::vector<cut_range>> pieces;
    double rows = 0;
    for (const catalog::source &source : sources) {
        sketch own;
        std::vector<sketch> others;
        for (const known_listing &listing : listings)
            if (listing.relation == find_portal(portals, source.portal).listing)
                own = listing.lids;
            else
                others.push_back(listing.lids);
        pieces.push_back(cut_mart(own, mapping, others, each));
        for (const cut_range &piece : pieces.back())
            rows += piece.rows;
    }
    const double least = std::min(largest, careful_pace * chunk_target / 1000.0);
    const double chunk = std::clamp(rows / (2.0 * workers), least, largest);
    std::vector<portal_ranges> ranges;
    for (const std::vector<cut_range> &of_portal : pieces) {
        double portal_rows = 0;
        for (const cut_range &piece : of_portal)
            portal_rows += piece.rows;
        ranges.push_back(gather_pieces(of_portal, chunk_rows ? of_portal.size()
                                                             : static_cast<std::size_t>(std::ceil(portal_rows / chunk))));
    }
    return ranges;
}

pg::vector<planned_task> plan_seed(const catalog::make &make, const pg::vector<catalog::source> &sources, int workers,
                                   std::optional<std::int64_t> chunk_rows, std::int64_t run, bool with_sql) {
    pg::vector<planned_task> tasks = plan_folds_of(make, sources, workers, with_sql);
    pg::owner_scope as_owner(make.owner);
    catalog::apply_settings(as_owner.settings(), pg::view(make.settings));
    const std::vector<portal_ranges> ranges = cut_loads(make, sources, workers, chunk_rows);
    for (std::size_t i = 0; i < sources.size(); i++)
        add_loads(tasks, make, sources[i], ranges[i], with_sql);

    pg::vector<pg::string> names;
    std::int64_t rows = 0, bytes = 0;
    for (const catalog::source &source : sources) {
        names.push_back(source.portal);
        std::int64_t portal_rows = 0, portal_bytes = 0;
        for (const planned_task &task : tasks)
            if (task.phase == phase::load && *task.portal == source.portal) {
                portal_rows += task.estimated_rows;
                portal_bytes += task.estimated_bytes;
            }
        rows += portal_rows;
        bytes += portal_bytes;
        for (const Oid index : mart::indexes(make.mart)) {
            planned_task task = task_of(phase::index, "index", source.portal);
            task.parent_index = index;
            task.estimated_rows = portal_rows;
            task.estimated_bytes = portal_bytes;
            if (with_sql)
                task.sql = mart::index_statement(make.mart, index, pg::view(source.portal), run);
            tasks.push_back(std::move(task));
        }
        planned_task check = task_of(phase::check, "check", source.portal);
        check.estimated_rows = portal_rows;
        check.estimated_bytes = portal_bytes;
        if (with_sql)
            check.sql = mart::check_statement(make.mart, pg::view(source.portal), run);
        tasks.push_back(std::move(check));
        planned_task analyze = task_of(phase::analyze_portal, "analyze", source.portal);
        analyze.estimated_rows = portal_rows;
        analyze.estimated_bytes = portal_bytes;
        if (with_sql)
            analyze.sql = mart::analyze_statement(make.mart, pg::view(source.portal), run);
        tasks.push_back(std::move(analyze));
    }
    planned_task publish = task_of(phase::publish, "publish", std::nullopt);
    publish.estimated_rows = rows;
    publish.estimated_bytes = bytes;
    planned_task analyze = task_of(phase::analyze_mart, "analyze", std::nullopt);
    analyze.estimated_rows = rows;
    analyze.estimated_bytes = bytes;
    if (with_sql) {
        publish.sql = mart::publish_statement(make.mart, names, run);
        analyze.sql = pg::format("ANALYZE %s", pg::relation_name(make.mart, "mart").c_str());
    }
    tasks.push_back(std::move(publish));
    tasks.push_back(std::move(analyze));
    std::stable_sort(tasks.begin(), tasks.end(), [](const planned_task &a, const planned_task &b) {
        return static_cast<int>(a.phase) < static_cast<int>(b.phase);
    });
    return tasks;
}

} // namespace etl::plan
