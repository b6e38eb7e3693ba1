// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace etl::load {

enum class lifted_by : int {
    clean_vin,
    clean_car_plate,
    compute_usage_state,
    convert_currency,
    jsonb_to_array,
    memory // any expression over few values that fit a Datum: its results are remembered
};

constexpr int most_arguments = 6;

// A column that is computed for a batch of rows at a time, from other columns of the same rows.
struct lifted {
    lifted_by what;
    int column; // from 0
    int count;
    int arguments[most_arguments]; // columns
    Expr *slow; // the expression over the row: what is computed where there is no faster way
};

struct lifted_columns {
    int count;
    lifted *list;
};

// Takes calls of kernels, and expressions that are worth remembering, out of a query's target list: such an entry
// becomes NULL, and what it is computed from is added at the end. Nothing is lifted where the entries' values decide
// which rows there are (DISTINCT and the like). What is lifted depends on the query alone, not on its plan.
lifted_columns lift(Query *query);

} // namespace etl::load
