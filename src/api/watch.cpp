// C++ regime: entries of the functions that watch price logs; thin.
#include "watch/watch.hpp"
#include "pg/function.hpp"

extern "C" {
#include "commands/event_trigger.h"
#include "commands/extension.h"
}

namespace catalog = etl::catalog;
namespace pg = etl::pg;
namespace watch = etl::watch;

ETL_FUNCTION(etl_watch_prices) {
    pg::require_read_write("etl_watch_prices()");
    watch::attach(pg::arguments(fcinfo).text(0, "portal"));
    return 0;
}

ETL_FUNCTION(etl_unwatch_prices) {
    pg::require_read_write("etl_unwatch_prices()");
    watch::detach(pg::arguments(fcinfo).text(0, "portal"));
    return 0;
}

ETL_FUNCTION(etl_on_price_change) {
    pg::require_read_write("etl_on_price_change()");
    const pg::arguments arguments(fcinfo);
    watch::set_channel(arguments.text(0, "portal"), arguments.optional_text(1));
    return 0;
}

ETL_FUNCTION(etl_check_prices) {
    const pg::arguments arguments(fcinfo);
    const pg::string name = arguments.text(0, "portal");
    const std::int64_t sample_rows = arguments.int8(1, "sample_rows");
    const catalog::portal portal = catalog::get_portal(pg::view(name));
    catalog::require_owner(portal.owner, pg::view(pg::format("portal \"%s\"", name.c_str())));
    pg::row_writer rows(fcinfo);
    for (const watch::difference &one : watch::check(portal, sample_rows))
        rows.add({pg::int8(one.lid), pg::text(one.column), pg::text(one.expected), pg::text(one.found)});
    return 0;
}

ETL_FUNCTION(etl_follow_watched) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        throw etl::error("39P03", "function etl.follow_watched() must be called as an event trigger");
    if (!creating_extension)
        watch::follow();
    return 0;
}
