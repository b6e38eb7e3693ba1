// C++ regime: entries of the set-up functions.
#include "catalog/make.hpp"
#include "catalog/portal.hpp"
#include "catalog/rates.hpp"
#include "catalog/template.hpp"
#include "pg/dependency.hpp"
#include "pg/function.hpp"

extern "C" {
#include "commands/event_trigger.h"
}

namespace catalog = etl::catalog;
namespace pg = etl::pg;

ETL_FUNCTION(etl_add_portal) {
    pg::require_read_write("etl_add_portal()");
    const pg::arguments arguments(fcinfo);
    const pg::string name = arguments.text(0, "portal");
    catalog::add_portal(name, {arguments.oid(1, "listing"), arguments.oid(2, "customer"), arguments.oid(3, "stat"),
                               arguments.oid(4, "prices")});
    return 0;
}

ETL_FUNCTION(etl_drop_portal) {
    pg::require_read_write("etl_drop_portal()");
    catalog::drop_portal(pg::arguments(fcinfo).text(0, "portal"));
    return 0;
}

ETL_FUNCTION(etl_add_make) {
    pg::require_read_write("etl_add_make()");
    const pg::arguments arguments(fcinfo);
    catalog::add_make({arguments.text(0, "make"), arguments.oid(1, "mapping"), arguments.optional_text(2),
                       arguments.optional_text(3), arguments.text(4, "template"),
                       arguments.optional_text_array(5, "portals"), arguments.optional_text(6)});
    return 0;
}

ETL_FUNCTION(etl_drop_make) {
    pg::require_read_write("etl_drop_make()");
    catalog::drop_make(pg::arguments(fcinfo).text(0, "make"));
    return 0;
}

ETL_FUNCTION(etl_refresh_make) {
    pg::require_read_write("etl_refresh_make()");
    catalog::refresh_make(pg::arguments(fcinfo).text(0, "make"));
    return 0;
}

ETL_FUNCTION(etl_set_template) {
    pg::require_read_write("etl_set_template()");
    const pg::arguments arguments(fcinfo);
    const pg::string name = arguments.text(0, "name");
    catalog::set_template(name, arguments.text(1, "query"));
    return 0;
}

ETL_FUNCTION(etl_drop_template) {
    pg::require_read_write("etl_drop_template()");
    catalog::drop_template(pg::arguments(fcinfo).text(0, "name"));
    return 0;
}

ETL_FUNCTION(etl_set_rates) {
    pg::require_read_write("etl_set_rates()");
    catalog::set_rates(pg::arguments(fcinfo).optional_oid(0));
    return 0;
}

// Event trigger at CREATE VIEW. A dump does not carry the dependency that lets DROP EXTENSION take source views along,
// and restores views with CREATE VIEW.
ETL_FUNCTION(etl_adopt_view) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        throw etl::error("39P03", "function etl.adopt_view() must be called as an event trigger");
    const auto *event = reinterpret_cast<EventTriggerData *>(fcinfo->context);
    const Oid view = pg::view_made_by(event->parsetree, "etl");
    if (OidIsValid(view))
        pg::drop_with_extension(view);
    return 0;
}
