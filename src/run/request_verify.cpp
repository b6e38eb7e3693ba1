// C++ regime: asking for a verification.
#include "run/request.hpp"

#include "pg/identity.hpp"
#include "run/relations.hpp"
#include "run/turn.hpp"
#include "settings.hpp"
#include "verify/level.hpp"

namespace etl::run {

namespace {

// One that is under way and looks otherwise is not what was asked for.
void require_same(const std::optional<predecessor> &before, const pg::string &definition) {
    if (before && (before->state == "queued" || before->state == "running" || before->state == "paused") &&
        before->definition != definition)
        throw error(
            "55006",
            pg::view(pg::format("run " INT64_FORMAT ", which verifies the make, has not ended", before->run_id)),
            "It was asked for with another level or repair.", "Wait for it with etl_wait, or cancel it.");
}

} // namespace

std::int64_t request_verify(std::string_view name, std::string_view level, bool repair) {
    pg::require_read_write("etl_verify()");
    (void)verify::level_of(level);
    const catalog::make make = lock_own_make(name);
    const Oid requester = pg::current_role();
    const pg::vector<catalog::source> sources = catalog::sources_of(make);
    const pg::vector<sync::standing> held = sync::standings_of(make, sources);
    const pg::string definition = pg::format("%s %.*s %s", definition_of(make, sources, held).c_str(),
                                             static_cast<int>(level.size()), level.data(), repair ? "repair" : "look");
    std::int64_t run_id;
    {
        pg::catalog_scope as_catalog;
        bury_runs_of_other_clusters();
        const std::optional<predecessor> before = newest("verify", name);
        require_same(before, definition);
        if (const auto joined = resume_newest(before, pg::view(definition), std::nullopt, std::nullopt, "auto")) {
            say_turn(*joined);
            kick(*find(*joined));
            return *joined;
        }
        run_id = insert_run({"verify", name, std::nullopt, make.owner, requester, workers_per_run, pg::view(definition),
                             pg::view(make.settings)});
        pg::execute("UPDATE etl.run SET level = $2, repair = $3 WHERE run_id = $1",
                    {pg::int8(run_id), pg::text(level), pg::boolean(repair)});
    }
    pg::vector<plan::planned_task> tasks;
    for (std::size_t i = 0; i < sources.size(); i++)
        for (plan::planned_task &task : plan::plan_verification(make, sources[i], held[i].partition))
            tasks.push_back(std::move(task));
    begin_run(run_id, tasks, sources, held);
    return run_id;
}

} // namespace etl::run
