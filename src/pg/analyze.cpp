// Boundary: gathering statistics.
#include "pg/analyze.hpp"

extern "C" {
#include "commands/vacuum.h"
#include "storage/bufmgr.h"
}

namespace etl::pg {

void analyze_without_partitions(Oid table) {
    call([=] {
        VacuumParams parameters{};
        parameters.options = VACOPT_ANALYZE;
        parameters.freeze_min_age = parameters.freeze_table_age = -1;
        parameters.multixact_freeze_min_age = parameters.multixact_freeze_table_age = -1;
        parameters.log_min_duration = -1;
        ::analyze_rel(table, nullptr, &parameters, NIL, true, ::GetAccessStrategy(BAS_VACUUM));
    });
}

} // namespace etl::pg
