// PG regime: where a source view converts currencies.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/pg_list.h"
}

namespace etl::sync {

struct conversions {
    bool any;         // whether it converts at all, as far as it can be told
    bool hidden;      // whether it does so, if it does, in functions that it calls only
    List *conditions; // of char *, over row `p` of the partition and `c` (country, currency, from_day, to_day): a
                      // change of the rates in [from_day, to_day) can change the rows for which one of them is true
    const char *obstacle; // why the partition's rows don't tell; null: they do
};

// Rates are looked up by country, currency and day; where the view also gives the columns that these are computed from,
// the partition's own rows tell which of them a rate concerns. The current user's settings decide what a day is.
conversions find_conversions(Oid view, Oid partition);

} // namespace etl::sync
