// C++ regime: the relation of currency rates that all conversions of the database use.
#pragma once

#include "pg/value.hpp"

namespace etl::catalog {

// Names it, or with nothing goes back to raw.currency_rates. Only whoever has the rights of the owner of the relation
// that is used now may name another: conversions of other makes depend on it. Code of others in it is refused at use.
void set_rates(std::optional<Oid> relation);

} // namespace etl::catalog
