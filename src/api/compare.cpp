// C++ regime: etl_compare.
#include "pg/function.hpp"
#include "pg/return_query.hpp"
#include "pg/value.hpp"
#include "verify/compare.hpp"

namespace etl {

// The query runs with the caller's rights and settings: what he may not read, he is not told.
ETL_FUNCTION(etl_compare) {
    const pg::arguments arguments(fcinfo);
    const pg::string name = arguments.text(0, "make");
    const Oid relation = arguments.oid(1, "relation");
    const catalog::make make = catalog::get_make(pg::view(name));
    catalog::require_owner(make.owner, pg::view(pg::format("make \"%s\"", make.name.c_str())));
    pg::return_query(fcinfo, verify::difference_query(make, relation));
    return static_cast<Datum>(0);
}

} // namespace etl
