// C++ regime: the tasks of a fold.
#include "fold/reading.hpp"
#include "fold/statement.hpp"

#include "catalog/trust.hpp"
#include "plan/sketch.hpp"
#include "plan/tasks.hpp"
#include "settings.hpp"
#include "watch/watch.hpp"

#include <cmath>

namespace etl::plan {

namespace {

// Events a second that one worker folds: in SQL, and past the executor.
constexpr double assumed_pace = 200000, assumed_page_pace = 5000000;
// A second worker is worth its while from so many events on.
constexpr double events_for_a_worker = 200000;
// An event in memory and on its pages, roughly: header, lid, price, day.
constexpr double event_bytes = 52;
// Of a log without statistics.
constexpr double assumed_events_a_lid = 10;

double events_for_a_chunk(double pace, double most) {
    return std::clamp(pace * chunk_target / 1000.0, 10000.0, most);
}

// Ranges of the log by the way it is read. Each range is another scan of the whole log where it is in order of arrival,
// so there are as many as memory and workers ask for; else they are short.
std::vector<cut_range> cut_folds(const fold::reading &how, const sketch &events, int workers) {
    if (how.way == fold::way_to_read::statement)
        return cut_rows(events, events_for_a_chunk(assumed_pace, 5e6));
    const double lids = how.lids > 0 ? how.lids : events.rows / assumed_events_a_lid;
    double ranges = std::max(std::ceil(lids / fold::lids_in_memory()),
                             std::min<double>(workers, std::ceil(events.rows / events_for_a_worker)));
    if (how.way == fold::way_to_read::index)
        ranges = std::max(ranges, std::ceil(events.rows / events_for_a_chunk(assumed_page_pace, 1e9)));
    return cut_rows(events, events.rows / std::max(ranges, 1.0));
}

bool needs_fold(const catalog::portal &portal) {
    return portal.state == "unfolded" || portal.state == "stale";
}

// The fold tasks of a seed run as the make's owner, who must be allowed to write that price state.
void require_fold_rights(const catalog::make &make, const catalog::portal &portal) {
    if (pg::may_act_as(make.owner, portal.owner))
        return;
    const pg::string owner = pg::role_name(make.owner), portal_owner = pg::role_name(portal.owner);
    throw error(
        "55000", pg::view(pg::format("price state of portal \"%s\" is %s", portal.name.c_str(), portal.state.c_str())),
        pg::view(pg::format("A seed of make \"%s\" runs as role \"%s\", which is not a member of \"%s\" and so can't"
                            " fold that portal's prices.",
                            make.name.c_str(), owner.c_str(), portal_owner.c_str())),
        pg::view(pg::format("Run etl_fold_prices(%s) as a member of \"%s\" first.",
                            pg::quote_literal(pg::view(portal.name)).c_str(), portal_owner.c_str())));
}

} // namespace

planned_task task_of(phase when, const char *kind, std::optional<pg::string> portal) {
    planned_task task{};
    task.phase = when;
    task.kind = kind;
    task.portal = std::move(portal);
    return task;
}

std::int64_t round_rows(double rows) noexcept {
    constexpr double most = 9e18;
    return static_cast<std::int64_t>(std::llround(std::clamp(rows, 0.0, most)));
}

void add_folds(pg::vector<planned_task> &tasks, const catalog::portal &portal, int workers, bool with_sql) {
    const fold::reading how = fold::choose_reading(portal.prices, portal.price_state);
    const char *beside =
        with_sql && watch::is_watched(pg::view(portal.name)) ? "; beside writers, as it is watched" : "";
    const std::vector<cut_range> ranges = cut_folds(how, sketch_of(portal.prices), workers);
    for (const cut_range &cut : ranges) {
        planned_task task = task_of(phase::fold, "fold", portal.name);
        task.range = {cut.from, cut.to};
        task.estimated_rows = round_rows(cut.rows);
        task.estimated_bytes = round_rows(cut.rows * event_bytes);
        if (with_sql)
            task.sql = pg::format("/* fold, range %d of %d, %s%s */ ", static_cast<int>(&cut - ranges.data()) + 1,
                                  static_cast<int>(ranges.size()), how.why.c_str(), beside) +
                       fold::fold_statement(portal.prices, portal.price_state, task.range);
        tasks.push_back(std::move(task));
    }
}

pg::vector<planned_task> plan_fold(const catalog::portal &portal, int workers, bool with_sql) {
    pg::owner_scope as_owner(portal.owner);
    pg::vector<planned_task> tasks;
    add_folds(tasks, portal, workers, with_sql);
    return tasks;
}

const catalog::portal &find_portal(const pg::vector<catalog::portal> &portals, const pg::string &name) {
    for (const catalog::portal &portal : portals)
        if (portal.name == name)
            return portal;
    throw error("42704", pg::view(pg::format("portal \"%s\" does not exist", name.c_str())));
}

pg::vector<planned_task> plan_folds_of(const catalog::make &make, const pg::vector<catalog::source> &sources,
                                       int workers, bool with_sql) {
    const pg::vector<catalog::portal> portals = catalog::all_portals();
    catalog::require_trust(make);
    int folds = 0;
    for (const catalog::source &source : sources) {
        const catalog::portal &portal = find_portal(portals, source.portal);
        catalog::require_trust(make, portal); // what was plain when the view was made need not be so any more
        if (!needs_fold(portal))
            continue;
        require_fold_rights(make, portal);
        folds++;
    }
    pg::vector<planned_task> tasks;
    // Portals are folded side by side, so each needs no more than its share of the workers.
    for (const catalog::source &source : sources)
        if (const catalog::portal &portal = find_portal(portals, source.portal); needs_fold(portal)) {
            pg::owner_scope as_portal_owner(portal.owner);
            add_folds(tasks, portal, (workers + folds - 1) / folds, with_sql);
        }
    return tasks;
}

} // namespace etl::plan
