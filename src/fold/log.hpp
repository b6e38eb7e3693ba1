// PG regime: a price log as heaps that can be read page by page, and whether it is one.
#pragma once

#include "fold/event_coding.hpp"

extern "C" {
#include "utils/relcache.h"
}

namespace etl::fold {

// A table with events: the log itself, or a partition or child of it.
struct log_leaf {
    Relation relation;
    AttrNumber lid, price, dt;
};

struct price_log {
    const char *obstacle; // why its pages can't be read as they are, fit for "...: %s"; NULL: they can
    log_leaf *leaves;
    int count;
    event_coding coding;
    bool has_wide_prices; // there may be prices without a code
};

// Opens all tables of the log under ACCESS SHARE. Where there is an obstacle none is left open: the log is then one for
// plain SQL, which also knows what to say of missing rights. 42P01 if the log is gone.
price_log open_log(Oid prices);
void close_log(price_log &log);

} // namespace etl::fold
