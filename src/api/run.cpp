// C++ regime: the SQL functions that ask for runs and steer them; thin.
#include "pg/clock.hpp"
#include "pg/function.hpp"
#include "pg/identity.hpp"
#include "pg/value.hpp"
#include "run/run.hpp"
#include "run/wait.hpp"

namespace pg = etl::pg;
namespace run = etl::run;

static Datum write_shape(FunctionCallInfo fcinfo, std::int64_t run_id) {
    pg::row_writer rows(fcinfo);
    for (const run::shape &row : run::shape_of(run_id))
        rows.add({pg::int8(row.run_id), pg::text(row.portal), pg::int4(row.chunks), pg::int8(row.estimated_rows),
                  pg::text(row.state)});
    return 0;
}

ETL_FUNCTION(etl_seed) {
    const pg::arguments in(fcinfo);
    return write_shape(fcinfo, run::request_seed(pg::view(in.text(0, "make")), in.optional_int4(1),
                                                      in.optional_int8(2), pg::view(in.text(3, "publish"))));
}

ETL_FUNCTION(etl_sync) {
    const pg::arguments in(fcinfo);
    return write_shape(fcinfo, run::request_sync(pg::view(in.text(0, "make")), in.optional_int4(1)));
}

ETL_FUNCTION(etl_restate) {
    const pg::arguments in(fcinfo);
    const pg::string make = in.text(0, "make"), portal = in.text(1, "portal");
    return write_shape(fcinfo, run::request_restate(pg::view(make), pg::view(portal),
                                                    {in.optional_int8(2), in.optional_int8(3)}));
}

ETL_FUNCTION(etl_verify) {
    const pg::arguments in(fcinfo);
    const pg::string make = in.text(0, "make"), level = in.text(1, "level");
    return write_shape(fcinfo, run::request_verify(pg::view(make), pg::view(level), in.boolean(2, "repair")));
}

ETL_FUNCTION(etl_fold_prices) {
    const pg::arguments in(fcinfo);
    return write_shape(fcinfo,
                       run::request_fold(pg::view(in.text(0, "portal")), in.optional_int4(1)));
}

ETL_FUNCTION(etl_wait) {
    pg::require_read_write("etl_wait()"); // it starts workers where none is left
    const pg::arguments in(fcinfo);
    const std::int64_t run_id = in.int8(0, "run_id");
    std::optional<std::int64_t> timeout;
    if (const auto interval = in.optional_interval(1)) {
        timeout = pg::microseconds_of(*interval);
        if (*timeout < 0)
            throw etl::error("22023", "argument \"timeout\" must not be negative");
    }
    pg::procedure call(fcinfo, "etl_wait");
    run::wait(call, run_id, timeout);
    call.finish();
    return 0;
}

ETL_FUNCTION(etl_cancel) {
    run::cancel(pg::arguments(fcinfo).int8(0, "run_id"));
    return 0;
}

ETL_FUNCTION(etl_pause) {
    run::pause(pg::arguments(fcinfo).int8(0, "run_id"));
    return 0;
}

ETL_FUNCTION(etl_resume) {
    run::resume(pg::arguments(fcinfo).int8(0, "run_id"));
    return 0;
}

ETL_FUNCTION(etl_retry) {
    run::retry(pg::arguments(fcinfo).int8(0, "run_id"));
    return 0;
}

ETL_FUNCTION(etl_publish) {
    run::publish(pg::arguments(fcinfo).int8(0, "run_id"));
    return 0;
}

ETL_FUNCTION(etl_revert) {
    run::revert(pg::arguments(fcinfo).int8(0, "run_id"));
    return 0;
}

ETL_FUNCTION(etl_forget_old) {
    const pg::string name = pg::arguments(fcinfo).text(0, "make");
    run::forget_old(pg::view(name));
    return 0;
}
