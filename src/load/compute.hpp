// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "load/batch.hpp"
#include "load/lift.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace etl::load {

// Computes the lifted columns of batches.
struct computer;

// In the current context. `columns` are those of the whole row, arguments included; the type must last as long as it.
computer *create_computer(const lifted_columns &lifted, TupleDesc columns);
void drop_computer(computer *self);

// Fills in the lifted columns of a batch. What they point to stays as long as the batch is not emptied and no other is
// computed. Needs an active snapshot, by which currency rates are read at the first need.
void compute(computer *self, batch &rows);

} // namespace etl::load
