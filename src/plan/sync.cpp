// C++ regime: the tasks of a sync.
#include "plan/tasks.hpp"

#include <algorithm>

namespace etl::plan {

namespace {

// Rows that a chunk compares: about a second of work.
constexpr std::int64_t compared_rows = 20000;
// Lids that a chunk applies: no fewer than make the chunk's own cost small, no more than fit a parameter with ease.
constexpr std::size_t least_lids = 1500, most_lids = 20000;

// Ranges of one portal, clipped to another range; empty ones are left out.
bool clip(lid_range &range, const lid_range &to) {
    if (to.from && (!range.from || *range.from < *to.from))
        range.from = to.from;
    if (to.to && (!range.to || *range.to > *to.to))
        range.to = to.to;
    return !range.from || !range.to || *range.from < *range.to;
}

} // namespace

pg::vector<planned_task> plan_sync(const catalog::make &make, const pg::vector<catalog::source> &sources, int workers) {
    pg::vector<planned_task> tasks = plan_folds_of(make, sources, workers, false);
    for (const catalog::source &source : sources)
        tasks.push_back(task_of(phase::find, "sync", source.portal));
    return tasks;
}

pg::vector<planned_task> plan_comparison(const catalog::make &make, const catalog::source &source, Oid partition,
                                         const lid_range &range) {
    pg::vector<noted_range> noted = noted_ranges(partition);
    if (noted.empty())
        noted.push_back({{}, 0});
    pg::vector<planned_task> tasks;
    const std::vector<portal_ranges> cuts = cut_loads(make, {source}, 1, compared_rows);
    for (const divisible_range &cut : cuts.front())
        for (const noted_range &each : noted) {
            planned_task task = task_of(phase::compare, "sync", source.portal);
            task.range = {cut.whole.from, cut.whole.to};
            task.estimated_rows = std::min(round_rows(cut.whole.rows), each.rows > 0 ? each.rows : compared_rows);
            if (clip(task.range, range) && clip(task.range, each.range))
                tasks.push_back(std::move(task));
        }
    return tasks;
}

pg::vector<planned_task> plan_application(const catalog::source &source, const pg::vector<std::int64_t> &lids,
                                          int workers) {
    pg::vector<planned_task> tasks;
    const std::size_t share = lids.size() / (2 * static_cast<std::size_t>(std::max(workers, 1))) + 1;
    const std::size_t wanted = std::clamp(share, least_lids, most_lids);
    const std::size_t chunks = std::max<std::size_t>((lids.size() + wanted / 2) / wanted, 1);
    const std::size_t each = (lids.size() + chunks - 1) / chunks;
    for (std::size_t first = 0; first < lids.size(); first += each) {
        const std::size_t end = std::min(first + each, lids.size());
        planned_task task = task_of(phase::apply, "sync", source.portal);
        task.range.from = lids[first];
        if (end < lids.size())
            task.range.to = lids[end];
        task.lids.emplace(lids.begin() + static_cast<std::ptrdiff_t>(first),
                          lids.begin() + static_cast<std::ptrdiff_t>(end));
        task.estimated_rows = static_cast<std::int64_t>(end - first);
        tasks.push_back(std::move(task));
    }
    return tasks;
}

} // namespace etl::plan
