// C++ regime: terminal rows of a mart: what is not expected to change any more.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

// 42601, 42804, ... unless `terminal` is a condition over the columns of the mart.
void check_terminal(const make &of, const pg::string &terminal);

// SQL: whether the mart has rows of the portal for the lid that the expression `lid` gives, and all of them are terminal. To
// be run as the make's owner with the make's settings in force, on which the condition may depend. `lid` must not be a
// column of a relation called t. Empty where the make has no such condition.
std::optional<pg::string> is_terminal(const make &of, std::string_view portal, const char *lid);

} // namespace etl::catalog
