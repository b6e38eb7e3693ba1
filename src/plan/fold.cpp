// C++ regime: the tasks of a fold.
#include "fold/fold.hpp"

#include "plan/sketch.hpp"
#include "plan/tasks.hpp"
#include "settings.hpp"

#include <cmath>

namespace etl::plan {

namespace {

// Events a second that one worker folds.
constexpr double assumed_pace = 200000;
// An event in memory and on its pages, roughly: header, lid, price, day.
constexpr double event_bytes = 52;

double events_for_a_chunk() {
    return std::clamp(assumed_pace * chunk_target / 1000.0, 10000.0, 5000000.0);
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

void add_folds(pg::vector<planned_task> &tasks, const catalog::portal &portal, bool with_sql) {
    for (const cut_range &cut : cut_rows(sketch_of(portal.prices), events_for_a_chunk())) {
        planned_task task = task_of(phase::fold, "fold", portal.name);
        task.range = {cut.from, cut.to};
        task.estimated_rows = round_rows(cut.rows);
        task.estimated_bytes = round_rows(cut.rows * event_bytes);
        if (with_sql)
            task.sql = fold::fold_statement(portal.prices, portal.price_state, task.range);
        tasks.push_back(std::move(task));
    }
}

pg::vector<planned_task> plan_fold(const catalog::portal &portal, bool with_sql) {
    pg::owner_scope as_owner(portal.owner);
    pg::vector<planned_task> tasks;
    add_folds(tasks, portal, with_sql);
    return tasks;
}

} // namespace etl::plan
