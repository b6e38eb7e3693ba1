// PG regime: may ereport
#pragma once

#include "pg/postgres.hpp"

namespace etl::function {

// Raises an error unless currency rates can be read from the relation: 42P01 if it is gone, 42809 if it is no table,
// partitioned table, foreign table or materialized view (a view's functions would run with the rights of whoever
// converts) or is temporary, 42703 or 42804 if it lacks country, currency (text, varchar or char), valid_from (date) or
// rate (numeric). Locks the relation in ACCESS SHARE mode until the end of the transaction. Checks no rights.
void check_rates_relation(Oid relation);

// The relation that rates are to be read from, checked as above: the one in etl.rates, else raw.currency_rates.
// Raises 42P01 if there is neither, 42501 if reading it would run code of a role without the current user's rights.
// Needs an active snapshot.
Oid rates_relation();

// Locks what that is, if it is there, so that a snapshot that is taken after this sees rates that others load anew.
void lock_rates();

} // namespace etl::function
