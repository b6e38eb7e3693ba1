// PG regime: may ereport
#pragma once

#include "kernel/daily_rates.hpp"
#include "kernel/rate_table.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "utils/date.h"
}

namespace etl::function {

// The rate of a currency in a country that is in force on a day, as a numeric; empty if there is none or it is NULL.
// Answer and errors are those of a query with the active snapshot and the rights of the current user, but the rates are
// read once per statement: see rate_cache.cpp for when they are read again. `caller` is what calls, nullptr if unknown.
// The numeric belongs to the cache: it lives until the next call of this function.
std::optional<Datum> find_rate(const FmgrInfo *caller, std::string_view country, std::string_view currency, DateADT on);

// The same rates day by day, for all that find_rate() need not be asked for. Lives as long.
const kernel::daily_rates &rates_by_day(const FmgrInfo *caller);

// The rates as a set, which its digest names: equal sets have equal digests, and no rates have 0.
struct rate_set {
    std::int64_t digest;
    const kernel::rate *rates; // by valid_from; value: a numeric, or nullptr for NULL. Of two of one day the later counts
    std::size_t count;
};
rate_set current_rates();

// The sets that this transaction has converted with: none, one, or several, of which digest is the last.
struct used_rates {
    int sets;
    std::int64_t digest;
};
used_rates rates_used();

} // namespace etl::function
