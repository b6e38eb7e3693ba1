// C++ regime: what one task of a verification looks at.
#pragma once

#include "catalog/definitions.hpp"
#include "plan/lid_range.hpp"
#include "sync/columns.hpp"

namespace etl::verify {

// What was noted when the rows were written; empty where nothing was.
struct written {
    std::int64_t rows;
    std::int64_t digest;
};

struct place {
    const catalog::make &make;
    catalog::source source;
    Oid partition;
    plan::lid_range range;
    sync::columns columns; // that the view gives
};

// "SELECT <columns> FROM ONLY <partition> p WHERE <p.lid in the range>"
pg::string held_sql(const place &where);

} // namespace etl::verify
