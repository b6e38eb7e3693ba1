// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/tupdesc.h"
}

namespace etl::join {

// Where an attribute of a relation goes.
struct column {
    AttrNumber from; // attribute of the relation
    int to;          // place in the joined row
};

// How rows of a relation are taken apart, laid down beforehand: each attribute up to the last that is wanted, with its
// place in the joined row. Unlike a slot's own way it copies nothing twice, and leaves alone what nobody wants.
struct attribute_step;
struct taking_apart {
    int count;
    attribute_step *steps;
    TupleDesc rows;
};

// In the current context; the columns are in the order of the relation's attributes.
taking_apart plan_taking_apart(TupleDesc rows, const column *columns, int count);

// What values point to is the row itself; it must stay where it is as long as they are used.
void take_apart(const taking_apart &plan, HeapTupleHeader row, Datum *values, bool *nulls);

} // namespace etl::join
