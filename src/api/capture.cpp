// C++ regime: entries of the functions that watch the sources of makes; thin.
#include "capture/sources.hpp"
#include "pg/function.hpp"

namespace pg = etl::pg;

ETL_FUNCTION(etl_watch_sources) {
    pg::require_read_write("etl_watch_sources()");
    etl::capture::watch_sources(pg::arguments(fcinfo).text(0, "make"));
    return 0;
}

ETL_FUNCTION(etl_unwatch_sources) {
    pg::require_read_write("etl_unwatch_sources()");
    etl::capture::unwatch_sources(pg::arguments(fcinfo).text(0, "make"));
    return 0;
}
