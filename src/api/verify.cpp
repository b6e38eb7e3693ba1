// C++ regime: what verifications have found, as SQL function.
#include "verify/finding.hpp"

#include "pg/function.hpp"
#include "run/run.hpp"

namespace pg = etl::pg;

ETL_FUNCTION(etl_differences) {
    // Who may see runs of others need not be one who may read their marts.
    const etl::run::record run = etl::run::get(pg::arguments(fcinfo).int8(0, "run_id"));
    if (run.kind != "verify")
        throw etl::error(
            "55000", pg::view(pg::format("run " INT64_FORMAT " is a %s, not a verify", run.run_id, run.kind.c_str())),
            {}, "etl_verify asks for one.");
    pg::row_writer rows(fcinfo);
    for (const etl::verify::kept_finding &found : etl::verify::findings_of(run.run_id))
        rows.add({pg::text(found.portal), pg::int8(found.range.from), pg::int8(found.range.to),
                  pg::int8(found.what.lid), pg::text(found.what.column), pg::text(found.what.mart_value),
                  pg::text(found.what.source_value)});
    return 0;
}
