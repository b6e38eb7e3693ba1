// C++ regime: whose code a make's owner would run by reading a portal.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

// The functions in a view, a policy, an index or a check run as whoever reads the relation. False, or 42501, where reading
// the portal's relations as the make's owner would so run code of a role that has not that owner's rights already.
// What else could get code before the transaction ends is locked (pg/foreign_code.hpp), so each task that reads asks anew.
bool trusts(const make &of, const portal &from);
void require_trust(const make &of, const portal &from);
// The same of its mart, whose checks, defaults and indexes its staging tables have, and of the currency rates.
void require_trust(const make &of);
void require_trust_in_mart(const make &of); // not of the rates, which see to it at their use

} // namespace etl::catalog
