// C++ regime: what the fold must know of a price log's types.
#pragma once

#include "pg/error.hpp"

namespace etl::fold {

struct log_columns {
    pg::string price_type; // as SQL, qualified
    pg::string day_type;
    // Further sort keys (", ...") that tell equal prices apart whose text differs; empty where there are none.
    pg::string tie;
};

// 42703 where the log has no column lid, price or dt.
log_columns columns_of(Oid prices);

} // namespace etl::fold
