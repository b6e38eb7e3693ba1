// C++ regime: etl_plan.
#include "plan/plan.hpp"
#include "pg/function.hpp"
#include "plan/costs.hpp"
#include "settings.hpp"

namespace etl {

namespace {

void require_positive(std::optional<std::int64_t> given, const char *argument) {
    if (given && *given < 1)
        throw error("22023", pg::view(pg::format("argument \"%s\" must be at least 1", argument)),
                    pg::view(pg::format("It is %lld.", static_cast<long long>(*given))),
                    "Leave it out for the engine's choice.");
}

// The task's SQL, and how long a worker is expected to take, where that is worth mentioning.
pg::string statement_of(const plan::planned_task &task) {
    const double seconds = plan::expected_seconds(task.kind, static_cast<double>(task.estimated_rows));
    return seconds < 0.1 ? task.sql : task.sql + pg::format(" /* about %.1f s of a worker */", seconds);
}

} // namespace

ETL_FUNCTION(etl_plan) {
    const pg::arguments arguments(fcinfo);
    const pg::string name = arguments.text(0, "make");
    require_positive(arguments.optional_int4(1), "workers");
    const int workers = arguments.optional_int4(1).value_or(workers_per_run);
    const std::optional<std::int64_t> chunk_rows = arguments.optional_int8(2);
    require_positive(chunk_rows, "chunk_rows");

    const catalog::make make = catalog::get_make(pg::view(name));
    catalog::require_owner(make.owner, pg::view(pg::format("make \"%s\"", make.name.c_str())));
    pg::row_writer rows(fcinfo);
    int number = 0;
    for (const plan::planned_task &task :
         plan::plan_seed(make, catalog::sources_of(make), workers, chunk_rows, 0, true)) {
        number++;
        rows.add({pg::int4(number), pg::text(task.kind), pg::text(task.portal), pg::int8(task.range.from),
                  pg::int8(task.range.to), pg::int8(task.estimated_rows), pg::int8(task.estimated_bytes),
                  pg::text(pg::view(statement_of(task)))});
    }
    return static_cast<Datum>(0);
}

} // namespace etl
